import { compareWithinShard } from '@twinstream/stream-model';
import { isAfter, type ReplayEntry } from '../replay-entry.ts';
import { comparePositions } from './archive-source.ts';
import type { ReplaySource } from './replay-source.ts';

const BATCH_ENTRIES = 100;

/** Entries in memory, for tests: as the archive would give them. */
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
