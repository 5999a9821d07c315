import {
  DescribeStreamSummaryCommand,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  KMSThrottlingException,
  LimitExceededException,
  ProvisionedThroughputExceededException,
} from '@aws-sdk/client-kinesis';
import { shardListing } from '@twinstream/pipeline-status';
import { type Clock, CodedError } from '@twinstream/runtime';
import {
  fullJitterMs,
  type SequenceNumber,
  type Shard,
  type ShardId,
  type StreamRecord,
  sequenceNumber,
} from '@twinstream/stream-model';
import { kinesisTransport } from '@twinstream/stream-producer';
import type { OperationsServices } from './services.ts';

/** Tries of one call that is throttled, from 200 ms to 5 s apart: some four minutes before it counts as failed. */
const THROTTLED_TRIES_MAX = 60;
const THROTTLE_BACKOFF = { baseMs: 200, capMs: 5_000 } as const;

/** The stream as commands read it. */
export interface StreamAccess {
  readonly client: KinesisClient;
  readonly streamName: string;
  readonly clock: Clock;
  readonly random?: () => number;
}

/** Where reading a shard begins. */
export type ShardStart =
  | { readonly from: 'beginning' }
  | { readonly from: 'time'; readonly timeMs: number }
  | { readonly from: 'at' | 'after'; readonly sequenceNumber: SequenceNumber };

export interface ShardRead {
  readonly records: readonly StreamRecord[];
  /** Undefined at the end of a closed shard. */
  readonly next: string | undefined;
  /** How far the answer is behind the tip, in milliseconds. */
  readonly behindMs: number;
}

/** All shards of the stream, closed ones within the retention included. */
export function listShards(
  { client, streamName }: StreamAccess,
  signal: AbortSignal,
): Promise<readonly Shard[]> {
  return shardListing(kinesisTransport({ streamName, client }))(signal);
}

function startInput(
  start: ShardStart,
): Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'Timestamp' | 'StartingSequenceNumber'> {
  if (start.from === 'beginning') return { ShardIteratorType: 'TRIM_HORIZON' };
  if (start.from === 'time') return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(start.timeMs) };
  const type = start.from === 'at' ? 'AT_SEQUENCE_NUMBER' : 'AFTER_SEQUENCE_NUMBER';
  return { ShardIteratorType: type, StartingSequenceNumber: start.sequenceNumber };
}

export async function shardIterator(
  stream: StreamAccess,
  shardId: ShardId,
  start: ShardStart,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { client, streamName } = stream;
  const input = { StreamName: streamName, ShardId: shardId, ...startInput(start) };
  const { ShardIterator } = await retryThrottled(stream, signal, () =>
    client.send(new GetShardIteratorCommand(input), { abortSignal: signal }),
  );
  return ShardIterator;
}

/** One GetRecords. Throws `ITERATOR_EXPIRED` after five minutes without a read: begin again after the last record. */
export async function readShard(
  stream: StreamAccess,
  iterator: string,
  recordsMax: number,
  signal: AbortSignal,
): Promise<ShardRead> {
  const answer = await retryThrottled(stream, signal, () =>
    stream.client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: recordsMax }), {
      abortSignal: signal,
    }),
  );
  const records = (answer.Records ?? []).map((record) => {
    const { SequenceNumber: number = '', PartitionKey: partitionKey = '', Data } = record;
    const data = Data ?? new Uint8Array();
    return {
      sequenceNumber: sequenceNumber(number),
      partitionKey,
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      arrivalTime: record.ApproximateArrivalTimestamp?.getTime() ?? 0,
    };
  });
  return { records, next: answer.NextShardIterator, behindMs: answer.MillisBehindLatest ?? 0 };
}

/** Repeats a call that is throttled: the live consumers go first. */
export async function retryThrottled<Answer>(
  { clock, random = Math.random }: Pick<StreamAccess, 'clock' | 'random'>,
  signal: AbortSignal,
  call: () => Promise<Answer>,
): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ExpiredIteratorException) {
        throw new CodedError('ITERATOR_EXPIRED', 'the shard iterator is older than five minutes', {
          cause: error,
          retryable: true,
        });
      }
      if (!isThrottle(error) || tries === THROTTLED_TRIES_MAX) throw error;
      await clock.sleep(fullJitterMs(Math.min(tries, 10), THROTTLE_BACKOFF, random), signal);
    }
  }
}

function isThrottle(error: unknown): boolean {
  return (
    error instanceof ProvisionedThroughputExceededException ||
    error instanceof LimitExceededException ||
    error instanceof KMSThrottlingException
  );
}

const HOUR_MS = 3_600_000;

/** What is known of the stream. */
export interface StreamFacts {
  readonly createdMs: number;
  readonly retentionMs: number;
}

export async function streamFacts(
  { kinesis, configuration }: OperationsServices,
  signal: AbortSignal,
): Promise<StreamFacts> {
  const command = new DescribeStreamSummaryCommand({ StreamName: configuration.streamName });
  const { StreamDescriptionSummary: summary } = await kinesis.send(command, { abortSignal: signal });
  return {
    createdMs: summary?.StreamCreationTimestamp?.getTime() ?? 0,
    retentionMs: (summary?.RetentionPeriodHours ?? 24) * HOUR_MS,
  };
}
