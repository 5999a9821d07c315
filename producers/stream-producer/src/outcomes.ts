import type { SequenceNumber, ShardId, UserRecord } from '@twinstream/stream-model';
import { type BufferCapacity, RECORD_BOOKKEEPING_BYTES } from './buffer-capacity.ts';
import type { FlushTracker } from './flush-tracker.ts';
import { addDuration, type MetricsRecorder } from './metrics.ts';
import type { Failure, PendingRecord } from './pending-record.ts';
import { type FailureCode, ProducerError } from './producer-error.ts';
import type { FailedRecord, PutOutcome } from './put-outcome.ts';

/** Settles records: every accepted record gets exactly one outcome here. */
export interface Outcomes<R extends UserRecord> {
  acknowledge(
    pending: PendingRecord<R>,
    answer: { readonly shardId: ShardId; readonly sequenceNumber: SequenceNumber },
    subSequenceNumber: number,
    nowMs: number,
  ): void;
  fail(pending: PendingRecord<R>, reason: ProducerError<FailureCode>): void;
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

  function fail(pending: PendingRecord<R>, reason: ProducerError<FailureCode>): void {
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
      let reason: ProducerError<FailureCode> | undefined;
      for (const pending of records) {
        // Neighbours mostly share their last failure, and then the error: a stack trace for each would cost more than the send.
        if (reason === undefined || pending.failure !== failure) {
          failure = pending.failure;
          reason = new ProducerError('EVENT_EXPIRED', `no acknowledgement within ${deadlineMs} ms of put`, {
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
