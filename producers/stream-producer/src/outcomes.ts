import { CodedError } from '@twinstream/runtime';
import type { Position, SequenceNumber, ShardId, UserRecord } from '@twinstream/stream-model';
import { type BufferCapacity, RECORD_BOOKKEEPING_BYTES } from './buffer-capacity.ts';
import type { FlushTracker } from './flush-tracker.ts';
import type { Failure, PendingRecord } from './lane.ts';
import { addDuration, type MetricsRecorder } from './metrics.ts';

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
  readonly reason: CodedError;
  /** How often it was sent; 0 when it never left. */
  readonly attempts: number;
  /** True when an attempt went unanswered: a copy may be in the stream, or may still land there after later records. */
  readonly possiblyStored: boolean;
}

/** What became of one record that was put. Every record that `put` accepts gets exactly one outcome. */
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

/** Settles records: every accepted record gets exactly one outcome here. */
export interface Outcomes<R extends UserRecord> {
  acknowledge(
    pending: PendingRecord<R>,
    answer: { readonly shardId: ShardId; readonly sequenceNumber: SequenceNumber },
    subSequenceNumber: number,
    nowMs: number,
  ): void;
  fail(pending: PendingRecord<R>, reason: CodedError): void;
  /** Fails records whose deadline has passed. */
  expire(records: readonly PendingRecord<R>[], deadlineMs: number): void;
}

export function createOutcomes<R extends UserRecord>(
  capacity: BufferCapacity,
  flushes: FlushTracker<R>,
  recorder: MetricsRecorder,
): Outcomes<R> {
  const { counts } = recorder;

  function finish(pending: PendingRecord<R>, outcome: PutOutcome<R>): void {
    capacity.release(pending.bytes + RECORD_BOOKKEEPING_BYTES);
    try {
      pending.onOutcome?.(outcome);
    } catch (error) {
      // An error of the caller's callback is reported, but not in the middle of the bookkeeping of other records.
      queueMicrotask(() => {
        throw error;
      });
    }
    flushes.leave(pending.generation);
  }

  function fail(pending: PendingRecord<R>, reason: CodedError): void {
    const outcome: FailedRecord<R> = {
      status: 'failed',
      record: pending.record,
      reason,
      attempts: pending.attempts,
      possiblyStored: pending.possiblyStored,
    };
    counts.userRecordsFailed += 1;
    flushes.failed(outcome, pending.bytes + RECORD_BOOKKEEPING_BYTES, pending.onOutcome !== undefined);
    finish(pending, outcome);
  }

  return {
    acknowledge(pending, { shardId, sequenceNumber }, subSequenceNumber, nowMs) {
      counts.userRecordsAcknowledged += 1;
      addDuration(counts.acknowledgementTime, nowMs - pending.putAtMs);
      finish(pending, {
        status: 'acknowledged',
        record: pending.record,
        position: { shardId, sequenceNumber, subSequenceNumber },
        attempts: pending.attempts,
      });
    },
    fail,
    expire(records, deadlineMs) {
      if (records.length === 0) return;
      let failure: Failure | undefined;
      let reason: CodedError | undefined;
      for (const pending of records) {
        // Neighbours mostly share their last failure, and then the error: a stack trace for each would cost more than the send.
        if (reason === undefined || pending.failure !== failure) {
          failure = pending.failure;
          reason = new CodedError('EVENT_EXPIRED', `no acknowledgement within ${deadlineMs} ms of put`, {
            retryable: true,
            cause: failure?.error,
          });
        }
        fail(pending, reason);
      }
      recorder.emit({ type: 'expired', userRecordCount: records.length });
    },
  };
}
