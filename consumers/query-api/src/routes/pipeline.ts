import { getPipeline, type PipelineStatus } from '@twinstream/api-contract';
import { endpoint, jsonAnswer } from '../endpoint.ts';

export const pipelineEndpoint = endpoint(getPipeline, async (_request, services) =>
  jsonAnswer<PipelineStatus>(await services.pipeline()),
);
