import type { Position, UserRecord } from '@twinstream/stream-model';
import type { FailureCode, ProducerError } from './producer-error.ts';

/** The stream has the record, at `position`. A lost answer before this one may have left a second copy later in the stream. */
export interface AcknowledgedRecord<R extends UserRecord = UserRecord> {
  readonly status: 'acknowledged';
  /** The very object that was put. */
  readonly record: R;
  readonly position: Position;
  /** How often it was sent, at least 1. */
  readonly attempts: number;
}

/** The producer has failed the record and returns it. Later records of its device are sent without it. */
export interface FailedRecord<R extends UserRecord = UserRecord> {
  readonly status: 'failed';
  /** The very object that was put. */
  readonly record: R;
  /** `EVENT_EXPIRED`, `STREAM_REJECTED` or `PRODUCER_ABORTED`; the last failure of the stream is its `cause`. */
  readonly reason: ProducerError<FailureCode>;
  /** How often it was sent; 0 when it never left. */
  readonly attempts: number;
  /** True when an attempt went unanswered: a copy may be in the stream, or may still land there after later records. */
  readonly possiblyStored: boolean;
}

/** The outcome of one record that was put. Every record that `put` accepts gets exactly one outcome. */
export type PutOutcome<R extends UserRecord = UserRecord> = AcknowledgedRecord<R> | FailedRecord<R>;

/** What `flush` and `close` hand back. */
export interface FlushReport<R extends UserRecord = UserRecord> {
  /** Records acknowledged since the producer was created. */
  readonly acknowledgedCount: number;
  /** Records that failed since the producer was created. */
  readonly failedCount: number;
  /**
   * Records that failed while this flush ran, and those that failed earlier, were put without a callback, and are in no
   * earlier report. In the order in which they failed; per device that is the order in which they were put.
   */
  readonly failed: readonly FailedRecord<R>[];
}
