import { type DamageReason, decodeRecord } from './aggregation.ts';
import type { StreamRecord } from './lambda-batch.ts';
import { PARTITION_KEY_CHARACTERS_MAX } from './quotas.ts';

/** Bytes that should be one event, with their place in their record. */
export interface UserRecordEntry {
  /** Index inside an aggregated record, counting every entry; 0 in a plain record. */
  readonly subSequenceNumber: number;
  /** The entry's own key, of at most 256 characters; in a plain record that of the record. */
  readonly partitionKey: string;
  /** A view into the data of the record, not a copy. */
  readonly data: Uint8Array;
}

/** Why an aggregated record cannot be opened. `partition-key-too-long`: it names a key that no producer may put. */
export type RecordDamage = DamageReason | 'partition-key-too-long';

/**
 * What a record holds. `plain`: one entry, the record itself. `aggregated`: any number, also none. `damaged`: a record that
 * begins like an aggregate and cannot be read further; its one entry is the whole record.
 */
export type OpenedRecord =
  | { readonly status: 'plain' | 'aggregated'; readonly entries: readonly UserRecordEntry[] }
  | {
      readonly status: 'damaged';
      readonly damage: RecordDamage;
      readonly entries: readonly UserRecordEntry[];
    };

/** Opens a record. Never throws for what its bytes hold. */
export function openRecord({
  partitionKey,
  data,
}: Pick<StreamRecord, 'partitionKey'> & { readonly data: Uint8Array }): OpenedRecord {
  const decoded = decodeRecord(data);
  const whole = { subSequenceNumber: 0, partitionKey, data };
  if (decoded.status === 'aggregated') {
    if (decoded.records.some((record) => isTooLong(record.partitionKey))) {
      return { status: 'damaged', damage: 'partition-key-too-long', entries: [whole] };
    }
    const entries = decoded.records.map((record, subSequenceNumber) => ({
      subSequenceNumber,
      partitionKey: record.partitionKey,
      data: record.data,
    }));
    return { status: 'aggregated', entries };
  }
  return decoded.status === 'plain'
    ? { status: 'plain', entries: [whole] }
    : { status: 'damaged', damage: decoded.reason, entries: [whole] };
}

function isTooLong(partitionKey: string): boolean {
  // Kinesis counts Unicode characters, of which some take two units of a JavaScript string.
  return (
    partitionKey.length > PARTITION_KEY_CHARACTERS_MAX &&
    [...partitionKey].length > PARTITION_KEY_CHARACTERS_MAX
  );
}
