import {
  compareWithinShard,
  openRecord,
  type Position,
  type ShardId,
  type ShardPosition,
  type StreamRecord,
} from '@twinstream/stream-model';

/** Bytes that should be one event, with their place in the stream, whichever source they come from. */
export interface ReplayEntry extends Position {
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** Entries of one shard, positions rising, that are applied together. */
export interface ReplayBatch {
  readonly shardId: ShardId;
  readonly entries: readonly ReplayEntry[];
  /** Everything of the shard at or below it was in this batch or before; undefined where nothing more can be said. */
  readonly through?: ShardPosition | undefined;
  /** True where the shard has no more in this window. */
  readonly isLast?: boolean;
}

export function entriesOf(shardId: ShardId, record: StreamRecord): ReplayEntry[] {
  const { sequenceNumber, arrivalTime } = record;
  return openRecord(record).entries.map(({ subSequenceNumber, partitionKey, data }) => ({
    shardId,
    sequenceNumber,
    subSequenceNumber,
    arrivalTime,
    partitionKey,
    data,
  }));
}

/** Above every position of the record of this sequence number. */
export function endOfRecord({ sequenceNumber }: Pick<StreamRecord, 'sequenceNumber'>): ShardPosition {
  return { sequenceNumber, subSequenceNumber: Number.MAX_SAFE_INTEGER };
}

export function isAfter(place: ShardPosition, through: ShardPosition | undefined): boolean {
  return through === undefined || compareWithinShard(place, through) > 0;
}
