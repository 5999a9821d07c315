import { compareSequenceNumbers, type ShardId } from '@twinstream/stream-model';
import type { ShardProgress, ShardProgressTable } from './shard-progress-table.ts';

/** Shard progress in memory with the semantics of the DynamoDB table. */
export function memoryShardProgressTable(): ShardProgressTable {
  const streams = new Map<string, Map<ShardId, ShardProgress>>();
  return {
    advance: async (streamName, progress, signal) => {
      signal?.throwIfAborted();
      const shards = streams.get(streamName) ?? new Map<ShardId, ShardProgress>();
      streams.set(streamName, shards);
      const existing = shards.get(progress.shardId);
      if (
        existing !== undefined &&
        compareSequenceNumbers(progress.finishedThrough, existing.finishedThrough) <= 0
      ) {
        return { outcome: 'already-past' };
      }
      shards.set(progress.shardId, { ...existing, ...progress });
      return { outcome: 'advanced', ...(existing && { before: existing.finishedThrough }) };
    },
    read: async (streamName, signal) => {
      signal?.throwIfAborted();
      return [...(streams.get(streamName)?.values() ?? [])].sort((a, b) => (a.shardId < b.shardId ? -1 : 1));
    },
  };
}
