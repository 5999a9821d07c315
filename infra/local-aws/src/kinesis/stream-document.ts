import { z } from 'zod';
import { STREAM_MODES, STREAM_STATUSES, type Stream } from './stream.ts';
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

const streamConsumer = z.strictObject({
  name: z.string(),
  createdMs: count,
  status: z.enum(CONSUMER_STATUSES),
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
  consumers: z.array(streamConsumer).default([]),
  shards: z.array(shardDocument),
});

export type StreamDocument = z.infer<typeof streamDocument>;
export type ShardDocument = z.infer<typeof shardDocument>;

export function documentOf(stream: Stream): StreamDocument {
  const {
    name,
    createdMs,
    mode,
    recordBytesMax,
    status,
    retentionHours,
    trimmedBeforeMs,
    nextShardIndex,
    pendingSteps,
    consumers,
  } = stream;
  return {
    version: 1,
    name,
    createdMs,
    mode,
    recordBytesMax,
    status,
    retentionHours,
    trimmedBeforeMs,
    nextShardIndex,
    pendingSteps: [...pendingSteps],
    consumers: [...consumers],
    shards: stream.shards.map(
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
