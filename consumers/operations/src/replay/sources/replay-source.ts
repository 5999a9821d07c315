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
  /** From the first record of each shard that arrived here or later, as an iterator AT_TIMESTAMP reads; 0: from the earliest there is. */
  readonly fromMs: number;
  /** Before the first record of each shard that arrived here or later. */
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

/**
 * Arrival times of a shard are approximate and may step back by as much: a window of time is a range of positions of each shard, so that
 * no record is applied before one that stands before it in its shard.
 */
export const ARRIVAL_SLACK_MS = 5_000;

/** Where a window of arrival times begins and ends among the records of one shard, which are asked in their order. */
export class ShardWindow {
  #hasBegun: boolean;
  #hasEnded = false;
  readonly #window: Pick<SourceQuery, 'fromMs' | 'toMs'>;

  /** @param hasBegun - true where a run goes on after a record of the window. */
  constructor(window: Pick<SourceQuery, 'fromMs' | 'toMs'>, hasBegun: boolean) {
    this.#window = window;
    this.#hasBegun = hasBegun;
  }

  /** Whether the next record of the shard is before, in or after the window. */
  next({ arrivalTime }: { readonly arrivalTime: number }): 'before' | 'in' | 'after' {
    this.#hasEnded ||= arrivalTime >= this.#window.toMs;
    if (this.#hasEnded) return 'after';
    this.#hasBegun ||= arrivalTime >= this.#window.fromMs;
    return this.#hasBegun ? 'in' : 'before';
  }
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
            (query.shards?.includes(entry.shardId) ?? true) &&
            isAfter(entry, query.checkpoints[entry.shardId]?.through)
          );
        })
        .sort(comparePositions);
      const byShard = Map.groupBy(wanted, ({ shardId }) => shardId);
      for (const [shardId, ofShard] of byShard) {
        const window = new ShardWindow(query, query.checkpoints[shardId]?.through !== undefined);
        const all = ofShard.filter((entry) => window.next(entry) === 'in');
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
