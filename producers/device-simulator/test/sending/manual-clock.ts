import type { Clock } from '@twinstream/runtime';

export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** Sleeps that were asked for, in milliseconds. */
  readonly sleeps: readonly number[];
}

/** A clock on which sleeping takes no time, and which is late by `oversleepMs` each time. */
export function manualClock(startMs = 0, oversleepMs = 0): ManualClock {
  let nowMs = startMs;
  const sleeps: number[] = [];
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      sleeps.push(ms);
      nowMs += ms + oversleepMs;
    },
    sleeps,
  };
}
