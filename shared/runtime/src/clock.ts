import { setTimeout as sleepFor } from 'node:timers/promises';

/** Time as an argument, so that tests and simulations own it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await sleepFor(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // The timer rejects with an AbortError of its own.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
