import { endpoint, jsonAnswer, NO_PARAMETERS } from '../endpoint.ts';
import { pipelineStatusSchema } from '../pipeline/pipeline-status.ts';

export const pipelineEndpoint = endpoint(
  {
    method: 'get',
    path: '/v1/pipeline',
    operationId: 'getPipeline',
    summary: 'How far the pipeline is, shard by shard',
    scope: 'read',
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answers: { 200: { description: 'The pipeline.', schema: pipelineStatusSchema } },
  },
  async (_request, services) => jsonAnswer(await services.pipeline()),
);
