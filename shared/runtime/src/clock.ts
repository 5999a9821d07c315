import { setTimeout as sleepFor } from 'node:timers/promises';

/** Time as an argument, so that tests and simulations own it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Resolves after `ms` milliseconds, however many; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What a timer of Node takes at most: a longer one fires after 1 ms (Node documentation, setTimeout). */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      let restMs = ms;
      do {
        const partMs = Math.min(restMs, TIMER_MS_MAX);
        await sleepFor(partMs, undefined, { signal });
        restMs -= partMs;
      } while (restMs > 0);
    } catch (error) {
      // The timer rejects with an AbortError of its own.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
