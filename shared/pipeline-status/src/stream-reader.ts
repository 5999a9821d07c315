import type { SequenceNumber, Shard, ShardId } from '@twinstream/stream-model';

/** How far a shard's consumer is behind. */
export interface ShardLag {
  /** How long ago the first record after the checkpoint arrived, in milliseconds; 0 when there is none. */
  readonly lagMs: number;
  /** Whatever was put before then is counted, milliseconds since 1970. */
  readonly asOf: number;
  /** Records after the checkpoint; absent where they were not counted. */
  readonly records?: LagRecords;
}

export interface LagRecords {
  readonly count: number;
  /** True where there are more than were counted. */
  readonly hasMore: boolean;
}

/** What the pipeline's status asks of the stream. A call of a shard may cost one of its five reads a second. */
export interface StreamReader {
  /** Retention and shards, open and closed. */
  describe(
    signal?: AbortSignal,
  ): Promise<{ readonly retentionHours: number; readonly shards: readonly Shard[] }>;
  /** The lag of a consumer whose checkpoint is `after`; without it, nothing is finished yet. */
  lag(shardId: ShardId, after: SequenceNumber | undefined, signal?: AbortSignal): Promise<ShardLag>;
  /**
   * Records put into the shard per second, over the last ten seconds or over as many records as are looked at; undefined
   * where those are too few to tell.
   */
  recordsPerSecond(shardId: ShardId, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * Records of the shard that were processed per second, over the last ten seconds; undefined where nobody watches that. Absent
   * where the reader never can.
   */
  processedPerSecond?(shardId: ShardId): number | undefined;
}
