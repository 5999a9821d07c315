import { CodedError } from '@twinstream/runtime';
import type { DeliveryStream } from './delivery-stream.ts';
import {
  FIREHOSE_RECORD_BYTES_MAX,
  PUT_RECORD_BATCH_BYTES_MAX,
  PUT_RECORD_BATCH_RECORDS_MAX,
} from './firehose-quotas.ts';

export interface MemoryDeliveryStream extends DeliveryStream {
  /** Everything that was taken, in order. */
  readonly delivered: readonly Uint8Array[];
}

/** A delivery stream that keeps what it takes, within the limits of the real one. */
export function memoryDeliveryStream(): MemoryDeliveryStream {
  const delivered: Uint8Array[] = [];
  return {
    delivered,
    async put(records, signal) {
      signal?.throwIfAborted();
      const fault = faultOf(records);
      if (fault !== undefined) throw new CodedError('DELIVERY_REFUSED', fault);
      delivered.push(...records);
      return [];
    },
  };
}

function faultOf(records: readonly Uint8Array[]): string | undefined {
  if (records.length === 0 || records.length > PUT_RECORD_BATCH_RECORDS_MAX) {
    return `${records.length} records in a request`;
  }
  if (records.some(({ length }) => length > FIREHOSE_RECORD_BYTES_MAX)) return 'a record is too large';
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  return bytes > PUT_RECORD_BATCH_BYTES_MAX ? `${bytes} bytes in a request` : undefined;
}
