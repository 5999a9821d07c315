import type { SequenceNumber, Shard, ShardId } from '@twinstream/stream-model';

/** What the pipeline's status asks of the stream. A call of a shard may cost one of its five reads a second. */
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
  /** Records put into the shard per second, over the last ten seconds or over as many records as are looked at. */
  recordsPerSecond(shardId: ShardId, signal?: AbortSignal): Promise<number>;
}
