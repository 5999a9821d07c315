import {
  createAggregateBuilder,
  PARTITION_KEY_CHARACTERS_MAX,
  parseHashKey,
  type UserRecord,
} from '@twinstream/stream-model';
import { ProducerError, type PutErrorCode } from './producer-error.ts';

/** More than aggregation adds to any one record beside its keys: see AGGREGATE_ENVELOPE_BYTES and AGGREGATED_RECORD_OVERHEAD_BYTES. */
const AGGREGATION_MARGIN_BYTES = 64;

/** What a single record may be. */
export interface RecordLimits {
  /** Data and partition key of one Kinesis record. */
  readonly recordBytesMax: number;
  /** Partition key of the Kinesis record that carries it in an aggregate; undefined when it travels as it is. */
  readonly outerKeyBytes: number | undefined;
}

/** Bytes of the record's data and keys, or why the record cannot be put. */
export function measureRecord(
  record: UserRecord,
  limits: RecordLimits,
): number | ProducerError<PutErrorCode> {
  const { partitionKey, data, explicitHashKey } = record;
  if (partitionKey.length === 0 || isTooLong(partitionKey) || !partitionKey.isWellFormed()) {
    return new ProducerError(
      'INVALID_PARTITION_KEY',
      `a partition key is 1 to ${PARTITION_KEY_CHARACTERS_MAX} Unicode characters`,
    );
  }
  if (explicitHashKey !== undefined && parseHashKey(explicitHashKey) === undefined) {
    return new ProducerError(
      'INVALID_EXPLICIT_HASH_KEY',
      'an explicit hash key is a decimal from 0 to 2^128 - 1',
    );
  }
  const keyBytes = Buffer.byteLength(partitionKey);
  const hashKeyBytes = explicitHashKey?.length ?? 0;
  const fits =
    limits.outerKeyBytes === undefined
      ? keyBytes + data.length <= limits.recordBytesMax
      : fitsAggregated(record, keyBytes + hashKeyBytes, limits.recordBytesMax - limits.outerKeyBytes);
  if (!fits) {
    return new ProducerError(
      'RECORD_TOO_LARGE',
      `a record of ${keyBytes + data.length} bytes, data and key, is more than a Kinesis record of ${limits.recordBytesMax} bytes carries`,
    );
  }
  return keyBytes + hashKeyBytes + data.length;
}

/** Kinesis counts characters, not UTF-16 units: only a key that is long in units has to be counted. */
function isTooLong(partitionKey: string): boolean {
  return (
    partitionKey.length > PARTITION_KEY_CHARACTERS_MAX &&
    [...partitionKey].length > PARTITION_KEY_CHARACTERS_MAX
  );
}

function fitsAggregated(record: UserRecord, keyBytes: number, bytesMax: number): boolean {
  if (record.data.length + keyBytes + AGGREGATION_MARGIN_BYTES <= bytesMax) return true;
  return createAggregateBuilder(bytesMax).add(record);
}
