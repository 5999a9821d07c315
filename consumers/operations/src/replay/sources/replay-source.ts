import type { ShardId, ShardPosition } from '@twinstream/stream-model';
import type { ReplayBatch } from '../replay-entry.ts';
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
   * parents; several shards at once where the source can. Rejects with what `take` rejects with.
   */
  read(query: SourceQuery, take: (batch: ReplayBatch) => Promise<void>): Promise<void>;
  /** Reads the window and throws what `read` would throw over something in it that cannot be used. Absent: nothing can be. */
  check?(query: SourceQuery): Promise<void>;
}
