import { type DamageReason, decodeRecord } from './aggregation.ts';
import type { StreamRecord } from './lambda-batch.ts';

/** Bytes that should be one event, with their place in their record. */
export interface UserRecordEntry {
  /** Index inside an aggregated record, counting every entry; 0 in a plain record. */
  readonly subSequenceNumber: number;
  /** The entry's own key; in a plain record that of the record. */
  readonly partitionKey: string;
  /** A view into the data of the record, not a copy. */
  readonly data: Uint8Array;
}

/**
 * What a record holds. `plain`: one entry, the record itself. `aggregated`: any number, also none. `damaged`: a record that
 * begins like an aggregate and cannot be read further; its one entry is the whole record.
 */
export type OpenedRecord =
  | { readonly status: 'plain' | 'aggregated'; readonly entries: readonly UserRecordEntry[] }
  | {
      readonly status: 'damaged';
      readonly damage: DamageReason;
      readonly entries: readonly UserRecordEntry[];
    };

/** Opens a record. Never throws for what its bytes hold. */
export function openRecord({
  partitionKey,
  data,
}: Pick<StreamRecord, 'partitionKey'> & { readonly data: Uint8Array }): OpenedRecord {
  const decoded = decodeRecord(data);
  if (decoded.status === 'aggregated') {
    const entries = decoded.records.map((record, subSequenceNumber) => ({
      subSequenceNumber,
      partitionKey: record.partitionKey,
      data: record.data,
    }));
    return { status: 'aggregated', entries };
  }
  const entries = [{ subSequenceNumber: 0, partitionKey, data }];
  return decoded.status === 'plain'
    ? { status: 'plain', entries }
    : { status: 'damaged', damage: decoded.reason, entries };
}
