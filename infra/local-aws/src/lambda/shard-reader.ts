import type { SequenceNumber, ShardId } from '@twinstream/stream-model';

/** A record as a shard holds it. */
export interface SourceRecord {
  readonly sequenceNumber: SequenceNumber;
  readonly partitionKey: string;
  /** Base64, as it travels in JSON: it goes into the function's event untouched. */
  readonly data: string;
  /** Seconds since 1970, with a fraction. */
  readonly approximateArrivalTimestamp: number;
}

/** A shard and the shards it came from. */
export interface ShardLineage {
  readonly shardId: ShardId;
  /** One after a split, two after a merge, none at first. A parent may be older than the retention and no longer listed. */
  readonly parents: readonly ShardId[];
}

/** Where reading of a shard begins. */
export type ShardStart =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: SequenceNumber }
  | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number };

export type ReadOutcome =
  | {
      readonly kind: 'records';
      readonly records: readonly SourceRecord[];
      /** Undefined at the end of a closed shard: nothing will follow. */
      readonly nextIterator: string | undefined;
      readonly millisBehindLatest: number;
    }
  | { readonly kind: 'throttled' }
  | { readonly kind: 'iterator-expired' };

/** What a mapping needs of a stream. Methods throw when the stream cannot be reached. */
export interface ShardReader {
  /** All shards that the stream still lists, open and closed. */
  shards(): Promise<readonly ShardLineage[]>;
  /** Undefined when the shard is gone. */
  iterator(shardId: ShardId, start: ShardStart): Promise<string | undefined>;
  /** The next records, up to 10,000 or 10 MB. */
  read(iterator: string): Promise<ReadOutcome>;
}
