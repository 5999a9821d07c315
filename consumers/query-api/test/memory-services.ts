import { type Clock, createLogger, systemClock } from '@twinstream/runtime';
import { createFleetView } from '../src/fleet/fleet-view.ts';
import { DEFAULT_LIVENESS_POLICY } from '../src/liveness.ts';
import { createPipelineReader } from '../src/pipeline/pipeline-reader.ts';
import type { StreamReader } from '../src/pipeline/stream-reader.ts';
import type { QueryApiServices } from '../src/services.ts';
import { historyOf } from './memory-history.ts';
import type { MemoryPipeline } from './moving-fleet.ts';

const SAMPLE_MS = 10_000;

/** A stream of which everything is finished as soon as it is put. */
export function memoryStreamReader(pipeline: MemoryPipeline): StreamReader {
  return {
    describe: async () => ({
      retentionHours: 168,
      shards: pipeline.shardIds.map((shardId) => ({
        shardId,
        isOpen: true,
        hashKeyRange: { start: 0n, end: 0n },
      })),
    }),
    lagMs: async () => 0,
    sample: async (shardId, sinceMs) => ({
      recordsPerSecond: pipeline.recordsSince(shardId, sinceMs) / (SAMPLE_MS / 1_000),
    }),
  };
}

/** All services of the API over a pipeline in memory. */
export function memoryServices(pipeline: MemoryPipeline, clock: Clock = systemClock): QueryApiServices {
  const logger = createLogger('query-api', 'warn');
  const startTime = clock.now();
  return {
    deviceStates: pipeline.states,
    fleet: createFleetView({ table: pipeline.states, clock, logger }),
    ...historyOf(pipeline.events),
    pipeline: createPipelineReader({
      streamName: pipeline.streamName,
      stream: memoryStreamReader(pipeline),
      progress: pipeline.progress,
      quarantine: { count: async () => 0 },
      archive: { lastDeliveryTime: async () => startTime },
      clock,
      logger,
    }),
    liveness: DEFAULT_LIVENESS_POLICY,
    clock,
    logger,
  };
}
