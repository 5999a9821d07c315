export { createApp } from './app.ts';
export { createFleetView, type FleetViewOptions } from './fleet/create-fleet-view.ts';
export type { FleetView } from './fleet/fleet-view.ts';
export { DEFAULT_LIVENESS_POLICY, type LivenessPolicy, type LivenessThresholds } from './liveness.ts';
export { type LocalQueryApi, type LocalQueryApiOptions, startQueryApi } from './local.ts';
export { createPipelineReader, type PipelineReaderOptions } from './pipeline/pipeline-reader.ts';
export type { QueryApiServices } from './services.ts';
