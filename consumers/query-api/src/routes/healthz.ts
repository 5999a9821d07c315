import { getHealth, type Health } from '@twinstream/api-contract';
import { endpoint, jsonAnswer } from '../endpoint.ts';

/** Says that the process answers. What stands behind it is the pipeline's business. */
export const healthEndpoint = endpoint(getHealth, async () => jsonAnswer<Health>({ status: 'ok' }));
