import type { Context, KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { compareSequenceNumbers, type SequenceNumber, sequenceNumber } from './sequence-number.ts';
import { type ShardId, shardId } from './shard-id.ts';

export type {
  KinesisStreamBatchResponse as BatchAnswer,
  KinesisStreamEvent as KinesisLambdaEvent,
  KinesisStreamRecord as KinesisLambdaRecord,
} from 'aws-lambda';

/** What a function needs of Lambda's context object. */
export type LambdaContext = Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>;

/** One record as the stream holds it. */
export interface StreamRecord {
  readonly sequenceNumber: SequenceNumber;
  readonly partitionKey: string;
  readonly data: Buffer;
  /** Milliseconds since 1970, whole. */
  readonly arrivalTime: number;
}

/** Records of one shard. */
export interface StreamBatch {
  readonly streamName: string;
  readonly shardId: ShardId;
  /** Their sequence numbers rise strictly. */
  readonly records: readonly StreamRecord[];
  /**
   * Present when a record did not rise above the one before it. `records` then ends before it, and the batch may be
   * acknowledged only up to there.
   */
  readonly disorder?: { readonly index: number; readonly sequenceNumber: SequenceNumber };
}

// CreateStream API reference, StreamName: 1-128 of [a-zA-Z0-9_.-] (read 2026-11).
const STREAM_ARN = /^arn:[^:]+:kinesis:[^:]*:[^:]*:stream\/([a-zA-Z0-9_.-]{1,128})(?:\/consumer\/.+)?$/;

/**
 * Reads a batch, decoding each record once. Throws RangeError when it is not a Kinesis batch of one shard, which only a
 * wrong event source mapping can cause; no content of a record does.
 */
export function readBatch(event: KinesisStreamEvent): StreamBatch {
  const [first] = event.Records;
  if (first === undefined) throw new RangeError('a batch holds at least one record');
  const streamName = STREAM_ARN.exec(first.eventSourceARN)?.[1];
  if (streamName === undefined) throw new RangeError(`not the ARN of a stream: ${first.eventSourceARN}`);
  const shard = first.eventID.slice(0, Math.max(0, first.eventID.indexOf(':')));
  const batch = { streamName, shardId: shardId(shard) };
  const eventIdPrefix = `${shard}:`;
  const records: StreamRecord[] = [];
  let last: SequenceNumber | undefined;
  for (const [index, { eventID, eventSourceARN, kinesis }] of event.Records.entries()) {
    if (!eventID.startsWith(eventIdPrefix) || eventSourceARN !== first.eventSourceARN) {
      throw new RangeError(`record ${index} is not of ${shard} of ${streamName}, as the first is`);
    }
    const number = sequenceNumber(kinesis.sequenceNumber);
    if (last !== undefined && compareSequenceNumbers(number, last) <= 0) {
      return { ...batch, records, disorder: { index, sequenceNumber: number } };
    }
    last = number;
    records.push({
      sequenceNumber: number,
      partitionKey: kinesis.partitionKey,
      data: Buffer.from(kinesis.data, 'base64'),
      arrivalTime: Math.round(kinesis.approximateArrivalTimestamp * 1_000),
    });
  }
  return { ...batch, records };
}

/** The answer that has this record and all after it delivered again; undefined acknowledges the whole batch. */
export function unfinishedFrom(number: SequenceNumber | undefined): KinesisStreamBatchResponse {
  return { batchItemFailures: number === undefined ? [] : [{ itemIdentifier: number }] };
}
