import { z } from 'zod';
import { endpoint, jsonAnswer, NO_PARAMETERS } from '../endpoint.ts';

/** Says that the process answers. What stands behind it is the pipeline's business. */
export const healthEndpoint = endpoint(
  {
    method: 'get',
    path: '/healthz',
    operationId: 'getHealth',
    summary: 'Whether this process answers',
    scope: 'open',
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answers: { 200: { description: 'It does.', schema: z.object({ status: z.literal('ok') }) } },
  },
  async () => jsonAnswer({ status: 'ok' }),
);
