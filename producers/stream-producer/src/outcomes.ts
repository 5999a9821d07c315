import { CodedError } from '@twinstream/runtime';
import type { SequenceNumber, ShardId, UserRecord } from '@twinstream/stream-model';
import { type BufferRoom, RECORD_BOOKKEEPING_BYTES } from './buffer-room.ts';
import type { FlushTracker } from './flush-tracker.ts';
import type { Failure, PendingRecord } from './lane.ts';
import { addDuration, type MetricsRecorder } from './metrics-recorder.ts';
import type { FailedRecord, PutOutcome } from './outcome.ts';

/** Gives records their outcome: the only way out of the producer. */
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
  room: BufferRoom,
  flushes: FlushTracker<R>,
  recorder: MetricsRecorder,
): Outcomes<R> {
  const { counts } = recorder;

  function finish(pending: PendingRecord<R>, outcome: PutOutcome<R>): void {
    room.release(pending.bytes + RECORD_BOOKKEEPING_BYTES);
    try {
      pending.onOutcome?.(outcome);
    } catch (error) {
      // A fault of the caller's; it must be heard, but not in the middle of the bookkeeping of other records.
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
