import type { CodedError } from '@twinstream/runtime';
import type { UserRecord } from '@twinstream/stream-model';
import type { RetryReason } from './metrics.ts';
import type { PutOutcome } from './put-outcome.ts';

/** The records that were put between two flushes and have no outcome yet. */
export interface Generation {
  pendingCount: number;
}

/** Why the last attempt to send a record did not end in an acknowledgement. One object for all records of an attempt. */
export interface Failure {
  readonly reason: RetryReason;
  readonly error: CodedError;
  /** True when the stream may have stored the record all the same. */
  readonly possiblyStored: boolean;
}

/** A record that `put` has accepted and that has no outcome yet. */
export interface PendingRecord<R extends UserRecord> {
  readonly record: R;
  readonly onOutcome: ((outcome: PutOutcome<R>) => void) | undefined;
  readonly putAtMs: number;
  /** Data and keys. */
  readonly bytes: number;
  readonly generation: Generation;
  attempts: number;
  possiblyStored: boolean;
  failure: Failure | undefined;
}
