import type { ShardId } from '@twinstream/stream-model';
import type { EventRecord } from './kinesis-event.ts';

/** Why records were given up. */
export type DiscardCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

/** What is known of the last invocation of the records. */
export interface LastInvocation {
  readonly requestId: string;
  /** The invocation failed, as opposed to one that returned and named failed items. */
  readonly functionError: boolean;
}

/** Records that were given up, in order. */
export interface DiscardedBatch {
  readonly shardId: ShardId;
  readonly records: readonly EventRecord[];
  readonly condition: DiscardCondition;
  /** Invocations with these records as their batch. */
  readonly invokeCount: number;
  readonly lastInvocation: LastInvocation | undefined;
}

/** Keeps what was given up. Rejects when it could not, and is then asked again. */
export interface FailureDestination {
  keep(batch: DiscardedBatch): Promise<void>;
}
