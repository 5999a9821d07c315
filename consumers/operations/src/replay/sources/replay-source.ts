import {
  comparePositions,
  compareWithinShard,
  type ShardId,
  type ShardPosition,
} from '@twinstream/stream-model';
import { isAfter, type ReplayBatch, type ReplayEntry } from '../replay-entry.ts';
import type { ShardCheckpoint } from '../replay-job.ts';

/** What a run wants of a source. */
export interface SourceQuery {
  /** Arrivals from here (included); 0 from the earliest there is. */
  readonly fromMs: number;
  /** Arrivals before here. */
  readonly toMs: number;
  /** These alone; all where absent. */
  readonly shards?: readonly ShardId[] | undefined;
  /** Where each shard goes on. */
  readonly checkpoints: Readonly<Record<string, ShardCheckpoint>>;
  /** Highest place wanted of a shard; undefined: nothing of it. Absent: no bound. */
  readonly bound?: ((shardId: ShardId) => ShardPosition | undefined) | undefined;
  readonly signal: AbortSignal;
}

/** Where the entries of a replay come from. */
export interface ReplaySource {
  /**
   * Hands every batch of the window to `take`, one at a time for a shard and each shard's in order, after those of its
   * parents; several shards concurrently where the source can. Rejects with what `take` rejects with.
   */
  read(query: SourceQuery, take: (batch: ReplayBatch) => Promise<void>): Promise<void>;
  /** Reads the window and throws what `read` would throw over something in it that cannot be used. Absent: nothing can be. */
  check?(query: SourceQuery): Promise<void>;
}

const BATCH_ENTRIES = 100;

/** Entries in memory, for tests: as the archive would return them. */
export function memorySource(entries: readonly ReplayEntry[], batchEntries = BATCH_ENTRIES): ReplaySource {
  return {
    read: async (query, take) => {
      const wanted = entries
        .filter((entry) => {
          const bound = query.bound?.(entry.shardId);
          if (query.bound !== undefined && (bound === undefined || compareWithinShard(entry, bound) > 0))
            return false;
          return (
            entry.arrivalTime >= query.fromMs &&
            entry.arrivalTime < query.toMs &&
            (query.shards?.includes(entry.shardId) ?? true) &&
            isAfter(entry, query.checkpoints[entry.shardId]?.through)
          );
        })
        .sort(comparePositions);
      const byShard = Map.groupBy(wanted, ({ shardId }) => shardId);
      for (const [shardId, all] of byShard) {
        for (let at = 0; at < all.length; at += batchEntries) {
          query.signal.throwIfAborted();
          const batch = all.slice(at, at + batchEntries);
          const last = batch.at(-1);
          await take({
            shardId,
            entries: batch,
            ...(last === undefined ? {} : { through: last }),
            isLast: at + batchEntries >= all.length,
          });
        }
      }
    },
  };
}
