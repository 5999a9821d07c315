import type { SequenceNumber, Shard, ShardId } from '@twinstream/stream-model';

/** A stretch of a shard that was looked at. */
export interface ShardSample {
  /** Records put into the shard per second, over the stretch. */
  readonly recordsPerSecond: number;
}

/** What the pipeline's status asks of the stream. Each call of a shard costs one of its five reads a second. */
export interface StreamReader {
  /** Retention and shards, open and closed. */
  describe(
    signal?: AbortSignal,
  ): Promise<{ readonly retentionHours: number; readonly shards: readonly Shard[] }>;
  /**
   * How long ago the first record after `after` arrived (from the oldest there is, without `after`), in milliseconds; 0
   * when there is none.
   */
  lagMs(shardId: ShardId, after: SequenceNumber | undefined, signal?: AbortSignal): Promise<number>;
  /** Looks at the records that arrived since `sinceMs` (milliseconds since 1970), a bounded number of them. */
  sample(shardId: ShardId, sinceMs: number, signal?: AbortSignal): Promise<ShardSample>;
}
