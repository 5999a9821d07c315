import type { ShardId } from '@twinstream/stream-model';
import type { SourceRecord } from './shard-reader.ts';

/** What the records of one mapping have in common in the events they travel in. */
export interface EventOrigin {
  readonly streamArn: string;
  readonly region: string;
  /** Role of the function, as `invokeIdentityArn`. */
  readonly roleArn: string;
}

/** A record with its place in an event, ready to be sent. */
export interface EventRecord {
  readonly record: SourceRecord;
  /** Its JSON in `Records[]`. */
  readonly json: string;
  readonly jsonBytes: number;
}

/** `{"Records":[` and `]}`. */
const ENVELOPE_BYTES = 14;
// Text that JSON carries as it is, one byte a character.
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * Writes records of one shard the way Lambda does, field for field (recorded against AWS: event of a Kinesis mapping,
 * LocalStack's snapshot tests, read 2026-11). The base64 data is passed through, never decoded.
 */
export function eventRecordWriter(
  origin: EventOrigin,
  shardId: ShardId,
): (record: SourceRecord) => EventRecord {
  const head = '{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":';
  const middle = `,"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"${shardId}:`;
  const tail =
    `","eventName":"aws:kinesis:record","invokeIdentityArn":${JSON.stringify(origin.roleArn)}` +
    `,"awsRegion":${JSON.stringify(origin.region)},"eventSourceARN":${JSON.stringify(origin.streamArn)}}`;
  return (record) => {
    const plain = PLAIN.test(record.partitionKey);
    const key = plain ? `"${record.partitionKey}"` : JSON.stringify(record.partitionKey);
    const json =
      `${head}${key},"sequenceNumber":"${record.sequenceNumber}","data":"${record.data}"` +
      `,"approximateArrivalTimestamp":${record.approximateArrivalTimestamp}}` +
      `${middle}${record.sequenceNumber}${tail}`;
    const jsonBytes = plain ? json.length : json.length - key.length + Buffer.byteLength(key);
    return { record, json, jsonBytes };
  };
}

/** Bytes of the event that holds the records. */
export function eventBytes(records: readonly EventRecord[]): number {
  return records.reduce((sum, { jsonBytes }) => sum + jsonBytes + 1, ENVELOPE_BYTES - 1);
}

/** The event of one invocation. */
export function eventJson(records: readonly EventRecord[]): string {
  return `{"Records":[${records.map(({ json }) => json).join(',')}]}`;
}
