export {
  deleteItems,
  itemsOf,
  lambdaOf,
  operationsOf,
  s3Of,
  tablesOf,
} from './operations-pipeline.ts';
export { type Access, type ClientSettings, localAccess } from './pipeline-access.ts';
export { checkPipeline, pipelineStores } from './pipeline-stores.ts';
export {
  launchPipeline,
  type RunningPipeline,
  refusedStart,
  runPipeline,
  temporaryFolder,
} from './running-pipeline.ts';
export { sentEvents, sentPositions } from './simulator-ledger.ts';
