import { FAILED_BATCHES_PREFIX } from '@twinstream/pipeline-settings';
import type { DiscardedBatch, LastInvocation } from './failure-destination.ts';
import { type EventRecord, eventJson } from './kinesis-event.ts';

/** What identifies the mapping that gave up. */
export interface FailedBatchOrigin {
  readonly mappingId: string;
  readonly functionArn: string;
  readonly streamArn: string;
}

/** Who and when, as arguments. */
export interface FailedBatchStamp {
  readonly nowMs: number;
  readonly newId: () => string;
}

/**
 * The document that Lambda writes to S3 for a batch it gave up. `payload` holds the whole event as JSON text, as AWS
 * writes it. Source: "Retain discarded batch records for a Kinesis Data Streams event source", developer guide, and
 * recorded against AWS in LocalStack's snapshot tests, read 2026-11.
 */
export function failedBatchDocument(
  batch: DiscardedBatch,
  origin: FailedBatchOrigin,
  stamp: FailedBatchStamp,
): string {
  return JSON.stringify({ ...noticeOf(batch, origin, stamp), payload: eventJson(batch.records) });
}

/** The message that Lambda sends to a queue for a batch it gave up: the document without the event (the same sources). */
export function failedBatchNotice(
  batch: DiscardedBatch,
  origin: FailedBatchOrigin,
  stamp: FailedBatchStamp,
): string {
  return JSON.stringify(noticeOf(batch, origin, stamp));
}

function noticeOf(batch: DiscardedBatch, origin: FailedBatchOrigin, stamp: FailedBatchStamp) {
  const { records, lastInvocation } = batch;
  const first = records[0];
  const last = records.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('a failed batch holds records');
  return {
    requestContext: {
      requestId: lastInvocation?.requestId ?? stamp.newId(),
      functionArn: origin.functionArn,
      condition: batch.condition,
      // AWS counts 1 for what it never invoked, too (recorded in LocalStack's snapshot tests, read 2026-11).
      approximateInvokeCount: Math.max(1, batch.invokeCount),
    },
    ...(batch.condition === 'RecordAgeExceeded' ? {} : responseContext(lastInvocation)),
    version: '1.0',
    timestamp: new Date(stamp.nowMs).toISOString(),
    KinesisBatchInfo: {
      shardId: batch.shardId,
      startSequenceNumber: first.record.sequenceNumber,
      endSequenceNumber: last.record.sequenceNumber,
      approximateArrivalOfFirstRecord: arrivalTime(first),
      approximateArrivalOfLastRecord: arrivalTime(last),
      batchSize: records.length,
      streamArn: origin.streamArn,
    },
  };
}

/** Records that were given up for their age have none, whether the function has seen them or not. */
function responseContext(last: LastInvocation | undefined) {
  if (last === undefined) return {};
  return {
    responseContext: {
      statusCode: 200,
      executedVersion: '$LATEST',
      functionError: last.functionError ? 'Unhandled' : null,
    },
  };
}

function arrivalTime({ record }: EventRecord): string {
  return new Date(Math.round(record.approximateArrivalTimestamp * 1_000)).toISOString();
}

/** Key of that document: `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>`. */
export function failedBatchKey(batch: DiscardedBatch, mappingId: string, stamp: FailedBatchStamp): string {
  const time = new Date(stamp.nowMs).toISOString().slice(0, 19);
  const day = time.slice(0, 10).replaceAll('-', '/');
  const second = time.replaceAll(':', '.');
  return `${FAILED_BATCHES_PREFIX}${mappingId}/${batch.shardId}/${day}/${second}-${stamp.newId()}`;
}
