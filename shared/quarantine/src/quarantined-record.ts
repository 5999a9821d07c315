import type { RejectionReason } from '@twinstream/device-model';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';

/** An invalid record: a plain record, or one entry of an aggregated record. Of one that a mapping makes several events of, a part may be valid. */
export interface QuarantinedEntry {
  readonly reason: RejectionReason;
  /** One sentence for people. Never holds the payload. */
  readonly detail: string;
  /** Index inside an aggregated record, counting every entry, valid or not; 0 in a plain record. */
  readonly subSequenceNumber: number;
  /** The entry's own key; in a plain record that of the record. */
  readonly partitionKey: string;
  readonly data: Uint8Array;
  /** Places of the rejected events, rising, where others of the entry were accepted. Absent: none was. */
  readonly rejectedPlaces?: readonly number[];
}

/** A Kinesis record of which at least one event is invalid. */
export interface QuarantinedRecord {
  readonly shardId: ShardId;
  readonly sequenceNumber: SequenceNumber;
  /** Milliseconds since 1970, from 0. */
  readonly arrivalTime: number;
  /** Key of the record itself, as the stream delivered it. */
  readonly partitionKey: string;
  /** The whole record as the stream delivered it. */
  readonly data: Uint8Array;
  /** The invalid ones, at least one, in the order of their sub-sequence numbers. */
  readonly entries: readonly QuarantinedEntry[];
}
