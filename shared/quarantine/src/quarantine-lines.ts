import { REJECTION_REASONS, type RejectionReason } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { isSequenceNumber, isShardId, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import type { QuarantinedEntry, QuarantinedRecord } from './quarantined-record.ts';

/** One line of a quarantine object: one invalid event, its bytes complete. */
interface QuarantineLine {
  readonly reason: RejectionReason;
  readonly detail: string;
  readonly shardId: ShardId;
  readonly sequenceNumber: SequenceNumber;
  readonly subSequenceNumber: number;
  /** ISO 8601 in UTC, with milliseconds. */
  readonly arrivalTime: string;
  readonly partitionKey: string;
  readonly base64: string;
  readonly rejectedPlaces?: readonly number[];
  /** On the first line, where the record holds more than this one event: its own key, and all of its bytes. */
  readonly recordPartitionKey?: string;
  readonly recordBase64?: string;
}

/** A record as NDJSON, one line per invalid event. Throws RangeError for a record without entries. */
export function encodeQuarantinedRecord(record: QuarantinedRecord): string {
  const { shardId, sequenceNumber, arrivalTime, entries } = record;
  if (entries.length === 0)
    throw new RangeError(`no invalid entry in record ${sequenceNumber} of ${shardId}`);
  const isoTime = new Date(arrivalTime).toISOString();
  let text = '';
  for (const [index, entry] of entries.entries()) {
    const line: QuarantineLine = {
      reason: entry.reason,
      detail: entry.detail,
      shardId,
      sequenceNumber,
      subSequenceNumber: entry.subSequenceNumber,
      arrivalTime: isoTime,
      partitionKey: entry.partitionKey,
      base64: base64(entry.data),
      ...(entry.rejectedPlaces === undefined ? {} : { rejectedPlaces: entry.rejectedPlaces }),
      ...(index === 0 && !isWhole(record, entry)
        ? { recordPartitionKey: record.partitionKey, recordBase64: base64(record.data) }
        : {}),
    };
    text += `${JSON.stringify(line)}\n`;
  }
  return text;
}

/** True when the entry is all there is of the record. */
function isWhole(record: QuarantinedRecord, entry: QuarantinedEntry): boolean {
  return (
    record.entries.length === 1 &&
    entry.partitionKey === record.partitionKey &&
    Buffer.compare(entry.data, record.data) === 0
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Inverse of {@link encodeQuarantinedRecord}. Throws `QUARANTINE_OBJECT_INVALID` for any other text, named by `key`. */
export function decodeQuarantinedRecord(text: string, key: string): QuarantinedRecord {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw invalid(key, 'the last line is not ended');
  const read = lines.map((line, index) => readLine(line, key, index + 1));
  const first = read[0];
  if (first === undefined) throw invalid(key, 'it has no line');
  return {
    shardId: first.shardId,
    sequenceNumber: first.sequenceNumber,
    arrivalTime: Date.parse(first.arrivalTime),
    partitionKey: first.recordPartitionKey ?? first.partitionKey,
    data: Buffer.from(first.recordBase64 ?? first.base64, 'base64'),
    entries: read.map(({ reason, detail, subSequenceNumber, partitionKey, base64, rejectedPlaces }) => ({
      reason,
      detail,
      subSequenceNumber,
      partitionKey,
      data: Buffer.from(base64, 'base64'),
      ...(rejectedPlaces === undefined ? {} : { rejectedPlaces }),
    })),
  };
}

function invalid(key: string, fault: string, cause?: unknown): CodedError {
  return new CodedError('QUARANTINE_OBJECT_INVALID', `${key} is not a quarantined record: ${fault}`, {
    cause,
  });
}

function readLine(text: string, key: string, number: number): QuarantineLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(key, `line ${number} is not JSON`, cause);
  }
  if (!isQuarantineLine(value)) throw invalid(key, `line ${number} lacks a member, or one has a wrong type`);
  return value;
}

function isQuarantineLine(value: unknown): value is QuarantineLine {
  if (typeof value !== 'object' || value === null) return false;
  const line: Partial<Record<keyof QuarantineLine, unknown>> = value;
  return (
    REJECTION_REASONS.some((reason) => reason === line.reason) &&
    typeof line.detail === 'string' &&
    typeof line.shardId === 'string' &&
    isShardId(line.shardId) &&
    typeof line.sequenceNumber === 'string' &&
    isSequenceNumber(line.sequenceNumber) &&
    Number.isSafeInteger(line.subSequenceNumber) &&
    typeof line.arrivalTime === 'string' &&
    !Number.isNaN(Date.parse(line.arrivalTime)) &&
    typeof line.partitionKey === 'string' &&
    typeof line.base64 === 'string' &&
    (line.rejectedPlaces === undefined || isPlaces(line.rejectedPlaces)) &&
    (line.recordPartitionKey === undefined || typeof line.recordPartitionKey === 'string') &&
    (line.recordBase64 === undefined || typeof line.recordBase64 === 'string')
  );
}

function isPlaces(value: unknown): boolean {
  return Array.isArray(value) && value.every((place) => Number.isSafeInteger(place));
}
