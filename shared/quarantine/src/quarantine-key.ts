import { hourFolder, QUARANTINE_PREFIX } from '@twinstream/pipeline-settings';
import { isSequenceNumber, isShardId } from '@twinstream/stream-model';
import type { QuarantineListing } from './quarantine-store.ts';
import type { QuarantinedRecord } from './quarantined-record.ts';

const KEY =
  /^quarantine\/year=(\d{4})\/month=(\d{2})\/day=(\d{2})\/hour=(\d{2})\/([^/]+)-(\d+)-(\d+)\.ndjson$/;

/** Name of a record's object. It depends on the record alone, so that a redelivery writes the same object. */
export function quarantineKey(record: QuarantinedRecord): string {
  const { shardId, sequenceNumber, arrivalTime, entries } = record;
  return `${hourFolder(QUARANTINE_PREFIX, arrivalTime)}${shardId}-${sequenceNumber}-${entries.length}.ndjson`;
}

const RECORD_ID = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):([^:/]+):(\d+):(\d+)$/;

/** A key as one segment of a path: hour of arrival, shard, sequence number and number of entries. Undefined for a key of another form. */
export function recordIdOf(key: string): string | undefined {
  const parts = KEY.exec(key);
  if (parts === null) return undefined;
  const [, year, month, day, hour, shardId, sequenceNumber, count] = parts;
  return `${year}-${month}-${day}T${hour}:${shardId}:${sequenceNumber}:${count}`;
}

/** Inverse of {@link recordIdOf}. Undefined for any other text. */
export function keyOfRecordId(id: string): string | undefined {
  const parts = RECORD_ID.exec(id);
  if (parts === null) return undefined;
  const [, year, month, day, hour, shardId, sequenceNumber, count] = parts;
  const folder = `${QUARANTINE_PREFIX}year=${year}/month=${month}/day=${day}/hour=${hour}/`;
  const key = `${folder}${shardId}-${sequenceNumber}-${count}.ndjson`;
  return readQuarantineKey(key) === undefined ? undefined : key;
}

/** What a key says of its record; undefined for a key of another form. */
export function readQuarantineKey(key: string): Omit<QuarantineListing, 'sizeBytes'> | undefined {
  const parts = KEY.exec(key);
  if (parts === null) return undefined;
  const [, year, month, day, hour, shardId = '', sequenceNumber = '', count] = parts;
  if (!isShardId(shardId) || !isSequenceNumber(sequenceNumber)) return undefined;
  const arrivalHour = Date.parse(`${year}-${month}-${day}T${hour}:00:00.000Z`);
  if (Number.isNaN(arrivalHour)) return undefined;
  return { key, shardId, sequenceNumber, arrivalHour, entryCount: Number(count) };
}

/** The later of two places in a listing. Keys are ASCII. */
export function laterKey(one: string, other: string): string {
  return one > other ? one : other;
}
