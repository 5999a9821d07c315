import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import type { QuarantinedRecord } from './quarantined-record.ts';

/** Which quarantined records, by the hour of their arrival. */
export interface QuarantineQuery {
  /** Records whose hour of arrival (UTC) ends after this; milliseconds since 1970. Default: from the first. */
  readonly from?: number;
  /** Records whose hour of arrival (UTC) begins before this; milliseconds since 1970. Default: to the last. */
  readonly to?: number;
  /** Records after the one of this key alone, in the order of a listing. Default: from the first. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

/** What is known of a quarantined record without reading it. */
export interface QuarantineListing {
  /** Name that `read` takes. */
  readonly key: string;
  readonly shardId: ShardId;
  readonly sequenceNumber: SequenceNumber;
  /** Start of the hour (UTC) in which the record arrived; milliseconds since 1970. */
  readonly arrivalHour: number;
  readonly entryCount: number;
  /** Stored size, base64 and member names included. */
  readonly sizeBytes: number;
}

/**
 * Dead-letter store for poison records: keeps them with complete payload until an operator resolves them. Every call may throw
 * `QUARANTINE_UNAVAILABLE` (retryable: no answer, or one that says "later"; a put may have happened) or
 * `QUARANTINE_REFUSED` (rights, names); an aborted signal makes it reject with the signal's own reason.
 */
export interface QuarantineStore {
  /**
   * Resolves once the record is durable. The same record again replaces itself, so a redelivery changes nothing.
   * Throws RangeError for a record without entries.
   */
  put(record: QuarantinedRecord, signal?: AbortSignal): Promise<void>;
  /** Rising by hour of arrival; within an hour in the order of keys as UTF-8. Throws RangeError for an invalid `from`. */
  list(query?: QuarantineQuery): AsyncIterable<QuarantineListing>;
  /**
   * The record as it was put, or undefined where there is none of this key. Throws `QUARANTINE_OBJECT_INVALID` when what
   * stands there was not written by `put`.
   */
  read(key: string, signal?: AbortSignal): Promise<QuarantinedRecord | undefined>;
}
