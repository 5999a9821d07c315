import { randomUUID } from 'node:crypto';
import { ownFormatDecoder } from '@twinstream/device-model';
import { createProcessedTimes, type RunningReplays, type StreamReader } from '@twinstream/pipeline-status';
import { type Clock, createLogger, systemClock } from '@twinstream/runtime';
import { memoryAnnotationStore } from '@twinstream/table-generation/annotations';
import { createFleetView } from '../src/fleet/create-fleet-view.ts';
import { createKeptLists } from '../src/fleet/kept-lists.ts';
import { createUpdateHub } from '../src/fleet/update-hub.ts';
import { createIdempotencyKeys } from '../src/idempotency-keys.ts';
import { DEFAULT_LIVENESS_POLICY, type LivenessPolicy } from '../src/liveness.ts';
import { createPipelineReader } from '../src/pipeline/pipeline-reader.ts';
import type { QueryApiServices } from '../src/services.ts';
import type { MemoryPipeline } from './memory-pipeline.ts';

const SAMPLE_MS = 10_000;

/** Reads the stream in memory. */
export function memoryStreamReader(pipeline: MemoryPipeline, clock: Clock): StreamReader {
  return {
    describe: async () => ({
      retentionHours: 168,
      shards: pipeline.shardIds.map((shardId) => ({
        shardId,
        isOpen: true,
        hashKeyRange: { start: 0n, end: 0n },
      })),
    }),
    lag: async (shardId, after) => {
      const arrivalTime = pipeline.firstArrivalAfter(shardId, after);
      return {
        lagMs: arrivalTime === undefined ? 0 : Math.max(0, clock.now() - arrivalTime),
        asOf: clock.now(),
      };
    },
    recordsPerSecond: async (shardId) =>
      pipeline.recordsSince(shardId, clock.now() - SAMPLE_MS) / (SAMPLE_MS / 1_000),
  };
}

export interface MemoryServicesOptions {
  readonly clock?: Clock;
  readonly liveness?: LivenessPolicy;
  readonly cycleMs?: number;
  /** False leaves the view without hints, as on Lambda. Default: true. */
  readonly hints?: boolean;
  readonly heartbeatMs?: number;
  readonly holdMs?: number;
  readonly clientsMax?: number;
  /** Default: the table of operators is not known. */
  readonly replays?: RunningReplays;
  readonly gapsAgeOutMs?: number;
}

/** All services of the API over a pipeline in memory. */
export function memoryServices(
  pipeline: MemoryPipeline,
  options: MemoryServicesOptions = {},
): QueryApiServices {
  const { clock = systemClock, liveness = DEFAULT_LIVENESS_POLICY, cycleMs, hints = true } = options;
  const logger = createLogger('query-api', 'warn');
  const startTime = clock.now();
  const stream = memoryStreamReader(pipeline, clock);
  const processed = createProcessedTimes({
    streamName: pipeline.streamName,
    shards: async () => (await stream.describe()).shards,
    stream,
    progress: pipeline.progress,
    clock,
    onFailure: (shardId, error) => logger.warn({ shardId, error }, 'processed time not read'),
  });
  const annotations = memoryAnnotationStore();
  const fleet = createFleetView({
    table: pipeline.states,
    progress: pipeline.progress,
    streamName: pipeline.streamName,
    ...(hints ? { feed: pipeline.changeFeed() } : {}),
    liveness,
    annotations,
    gapsAgeOutMs: options.gapsAgeOutMs,
    processed,
    clock,
    logger,
    ...(cycleMs === undefined ? {} : { cycleMs }),
  });
  const { heartbeatMs, holdMs, clientsMax, replays } = options;
  return {
    deviceStates: pipeline.states,
    events: pipeline.events,
    fleet,
    lists: createKeptLists({ clock, newId: randomUUID }),
    updates: createUpdateHub({
      fleet,
      clock,
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      ...(holdMs === undefined ? {} : { holdMs }),
      ...(clientsMax === undefined ? {} : { clientsMax }),
    }),
    pipeline: createPipelineReader({
      streamName: pipeline.streamName,
      stream,
      progress: pipeline.progress,
      quarantine: { count: async () => (await Array.fromAsync(pipeline.quarantine.list())).length },
      archive: { lastDeliveryTime: async () => startTime },
      ...(replays === undefined ? {} : { replays }),
      clock,
      logger,
    }),
    stream: pipeline.transport(clock),
    processed,
    identifiesCallers: false,
    correctionKeys: createIdempotencyKeys({ clock }),
    quarantine: pipeline.quarantine,
    redriving: {
      streamName: pipeline.streamName,
      shardProgress: pipeline.progress,
      decoder: ownFormatDecoder,
      tablesInUse: async () => ({
        generation: 'memory',
        eventStore: pipeline.events,
        latestState: pipeline.states,
      }),
    },
    annotations,
    gapsAgeOutMs: options.gapsAgeOutMs,
    liveness,
    clock,
    logger,
    newId: randomUUID,
  };
}
