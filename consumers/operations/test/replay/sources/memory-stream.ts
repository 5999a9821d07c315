import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import type { StreamRecord } from '@twinstream/stream-model';
import type { VirtualClock } from '@twinstream/test-kit';
import { STREAM } from '../memory-replay.ts';

export interface MemoryShard {
  readonly id: string;
  readonly parents?: readonly string[];
  readonly isClosed?: boolean;
  /** In the order of their sequence numbers. */
  readonly records: StreamRecord[];
}

export interface MemoryStreamOptions {
  readonly clock: VirtualClock;
  /** The shards that a listing names now. */
  readonly shards: MemoryShard[];
  /** Records that one GetRecords returns at most. */
  readonly pageRecords?: number;
  /** Answers without records before each answer with some, as between records that lie far apart. */
  readonly emptyReads?: number;
}

/** A stream in memory as its readers see it: ListShards, GetShardIterator and GetRecords. */
export interface MemoryStream {
  readonly access: {
    readonly client: KinesisClient;
    readonly streamName: string;
    readonly clock: VirtualClock;
  };
  /** Where iterators began: `shard TYPE`, with the sequence number or the time in milliseconds. */
  readonly starts: readonly string[];
  /** Times of calls of GetRecords. */
  readonly readsMs: readonly number[];
  /** Every iterator that was given out is refused from now on. */
  expireIterators(): void;
}

export function memoryStream({
  clock,
  shards,
  pageRecords = 100,
  emptyReads = 0,
}: MemoryStreamOptions): MemoryStream {
  const starts: string[] = [];
  const readsMs: number[] = [];
  let generation = 0;

  function shardNamed(id: string | undefined): MemoryShard {
    const shard = shards.find((one) => one.id === id);
    if (shard === undefined) throw new TypeError(`no shard ${id}`);
    return shard;
  }

  function begin({ input }: GetShardIteratorCommand): string {
    const { ShardId, ShardIteratorType: type, StartingSequenceNumber: number = '', Timestamp } = input;
    const { id, records } = shardNamed(ShardId);
    starts.push([id, type, Timestamp?.getTime() ?? number].join(' ').trim());
    const isFrom = ({ sequenceNumber, arrivalTime }: StreamRecord): boolean =>
      type === 'TRIM_HORIZON' ||
      (type === 'AT_TIMESTAMP' && arrivalTime >= Number(Timestamp)) ||
      (type === 'AT_SEQUENCE_NUMBER' && sequenceNumber >= number) ||
      (type === 'AFTER_SEQUENCE_NUMBER' && sequenceNumber > number);
    const at = records.findIndex(isFrom);
    return `${generation} ${id} ${at === -1 ? records.length : at}`;
  }

  function read({ input: { ShardIterator = '', Limit = 0 } }: GetRecordsCommand) {
    readsMs.push(clock.now());
    const [made, id, from, emptyCount = '0'] = ShardIterator.split(' ');
    if (made !== String(generation))
      throw new ExpiredIteratorException({ message: 'expired', $metadata: {} });
    const { records, isClosed } = shardNamed(id);
    if (Number(emptyCount) < emptyReads) {
      const NextShardIterator = `${generation} ${id} ${from} ${Number(emptyCount) + 1}`;
      return { Records: [], MillisBehindLatest: 1_000, NextShardIterator };
    }
    const page = records.slice(Number(from), Number(from) + Math.min(Limit, pageRecords));
    const end = Number(from) + page.length;
    const isAtEnd = end === records.length;
    return {
      Records: page.map(({ sequenceNumber, partitionKey, data, arrivalTime }) => ({
        ...{ SequenceNumber: sequenceNumber, PartitionKey: partitionKey, Data: data },
        ApproximateArrivalTimestamp: new Date(arrivalTime),
      })),
      MillisBehindLatest: isAtEnd ? 0 : 1_000,
      ...(isAtEnd && isClosed === true ? {} : { NextShardIterator: `${generation} ${id} ${end}` }),
    };
  }

  const send = async (command: object): Promise<object> => {
    if (command instanceof GetShardIteratorCommand) return { ShardIterator: begin(command) };
    if (command instanceof GetRecordsCommand) return read(command);
    if (!(command instanceof ListShardsCommand)) throw new TypeError('another request');
    const range = { StartingHashKey: '0', EndingHashKey: String(2n ** 128n - 1n) };
    return {
      Shards: shards.map(({ id, parents: [parent, adjacent] = [] }) => ({
        ...{ ShardId: id, HashKeyRange: range, SequenceNumberRange: { StartingSequenceNumber: '1' } },
        ...(parent === undefined ? {} : { ParentShardId: parent }),
        ...(adjacent === undefined ? {} : { AdjacentParentShardId: adjacent }),
      })),
    };
  };

  return {
    access: { client: { send } as unknown as KinesisClient, streamName: STREAM, clock },
    starts,
    readsMs,
    expireIterators: () => {
      generation += 1;
    },
  };
}
