import type { UserRecord } from '@twinstream/stream-model';
import type { Generation } from './pending-record.ts';
import type { FailedRecord } from './put-outcome.ts';

/** Knows when everything put before a flush has its outcome, and keeps the failures for its report. */
export interface FlushTracker<R extends UserRecord> {
  /** The generation that records put now belong to; the caller counts them in. */
  readonly current: Generation;
  /** Counts one record out. */
  leave(generation: Generation): void;
  /** `wasHandedBack`: the caller of `put` has had it by its callback. */
  failed(record: FailedRecord<R>, bytes: number, wasHandedBack: boolean): void;
  /** Bytes of the failed records that no callback and no report has handed back yet. */
  readonly unclaimedBytes: number;
  readonly isFlushing: boolean;
  /** Resolves with the failures to report when everything put before has its outcome. */
  flush(): Promise<readonly FailedRecord<R>[]>;
}

interface Flush<R extends UserRecord> {
  readonly until: Generation;
  readonly failed: FailedRecord<R>[];
  readonly resolve: (failed: readonly FailedRecord<R>[]) => void;
}

export function createFlushTracker<R extends UserRecord>(): FlushTracker<R> {
  /** Oldest first; the last is the current one. */
  let generations: Generation[] = [];
  let current: Generation = { pendingCount: 0 };
  let flushes: Flush<R>[] = [];
  let unclaimed: FailedRecord<R>[] = [];
  let unclaimedBytes = 0;

  /** Ends the flushes whose generations are all empty. */
  function settle(): void {
    const firstBusy = generations.findIndex((generation) => generation.pendingCount > 0);
    const gone = new Set(generations.splice(0, firstBusy < 0 ? generations.length : firstBusy));
    if (gone.size === 0) return;
    const ended = flushes.filter((flush) => gone.has(flush.until));
    flushes = flushes.filter((flush) => !gone.has(flush.until));
    for (const flush of ended) flush.resolve(flush.failed);
  }

  return {
    get current() {
      return current;
    },
    get unclaimedBytes() {
      return unclaimedBytes;
    },
    get isFlushing() {
      return flushes.length > 0;
    },
    leave(generation) {
      generation.pendingCount -= 1;
      if (generation.pendingCount === 0 && generation !== current) settle();
    },
    failed(record, bytes, wasHandedBack) {
      for (const flush of flushes) flush.failed.push(record);
      if (flushes.length > 0 || wasHandedBack) return;
      unclaimed.push(record);
      unclaimedBytes += bytes;
    },
    flush() {
      const until = current;
      current = { pendingCount: 0 };
      generations = [...generations, until];
      const failed = unclaimed;
      unclaimed = [];
      unclaimedBytes = 0;
      const { promise, resolve } = Promise.withResolvers<readonly FailedRecord<R>[]>();
      flushes = [...flushes, { until, failed, resolve }];
      settle();
      return promise;
    },
  };
}
