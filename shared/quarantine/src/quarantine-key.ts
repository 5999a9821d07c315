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
