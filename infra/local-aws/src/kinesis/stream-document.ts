import { z } from 'zod';
import { SHARD_LEVEL_METRICS, STREAM_MODES, STREAM_STATUSES, type Stream } from './stream.ts';
import { CONSUMER_STATUSES } from './stream-consumer.ts';

const hashKey = z.string().regex(/^[0-9a-f]{32}$/);
const count = z.number().int().nonnegative();

/** What `stream.json` says of a shard. Its id, numbering and parents' ids follow from indexes. */
const shardDocument = z.strictObject({
  index: count,
  startMs: count,
  hashStart: hashKey,
  hashEnd: hashKey,
  parentIndex: count.optional(),
  adjacentParentIndex: count.optional(),
  closedMs: count.optional(),
});

const reshardStep = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('split'), start: hashKey, at: hashKey }),
  z.strictObject({ kind: z.literal('merge'), start: hashKey, adjacentStart: hashKey }),
]);

const tags = z.record(z.string(), z.string());

const streamConsumer = z.strictObject({
  name: z.string(),
  createdMs: count,
  status: z.enum(CONSUMER_STATUSES),
  tags: tags.default({}),
  policy: z.string().optional(),
});

/** `stream.json`: everything of a stream but its records. */
export const streamDocument = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  createdMs: count,
  mode: z.enum(STREAM_MODES),
  recordBytesMax: count,
  status: z.enum(STREAM_STATUSES),
  retentionHours: count,
  trimmedBeforeMs: count,
  nextShardIndex: count,
  /** Splits and merges that an UPDATING stream has before it. */
  pendingSteps: z.array(reshardStep).default([]),
  tags: tags.default({}),
  policy: z.string().optional(),
  encryptionKeyId: z.string().optional(),
  shardLevelMetrics: z.array(z.enum(SHARD_LEVEL_METRICS)).default([]),
  warmThroughputMiBps: z.number().optional(),
  consumers: z.array(streamConsumer).default([]),
  shards: z.array(shardDocument),
});

export type StreamDocument = z.infer<typeof streamDocument>;
export type ShardDocument = z.infer<typeof shardDocument>;

export function documentOf(stream: Stream): StreamDocument {
  const { open: _, shards, pendingSteps, consumers, shardLevelMetrics, ...rest } = stream;
  return {
    version: 1,
    ...rest,
    pendingSteps: [...pendingSteps],
    consumers: [...consumers],
    shardLevelMetrics: [...shardLevelMetrics],
    shards: shards.map(
      ({ index, startMs, hashStart, hashEnd, parentIndex, adjacentParentIndex, closedMs }) => ({
        index,
        startMs,
        hashStart,
        hashEnd,
        parentIndex,
        adjacentParentIndex,
        closedMs,
      }),
    ),
  };
}
