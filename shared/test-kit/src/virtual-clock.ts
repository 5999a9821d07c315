import type { Clock } from '@twinstream/runtime';

/** When tests begin unless they say otherwise: 2026-11-02T08:00:00Z. */
export const TEST_TIME_MS = 1_793_606_400_000;

/** Turns of the event loop after which code that runs on memory alone waits for time and nothing else. */
const QUIET_TURNS = 5;
const WITHIN_MS = 3_600_000;

export interface VirtualClockOptions {
  /** Default: {@link TEST_TIME_MS}. */
  readonly startMs?: number;
  /** Turns of the event loop that are left to other work before each move of the clock. Default: {@link QUIET_TURNS}. */
  readonly quietTurns?: number;
}

/**
 * Time that does not pass while anything can run, and then moves to the next sleeper. Sleepers wake one by one, in the order of
 * their times, and of their calls where times are equal.
 */
export interface VirtualClock extends Clock {
  /** Moves the clock by `ms`. All that becomes due on the way has run when this resolves. */
  advance(ms: number): Promise<void>;
  /** Moves the clock until `work` settles, and returns its result. Throws when nothing sleeps: then it never would. */
  run<Result>(work: Promise<Result>): Promise<Result>;
  /** Moves the clock until `condition` holds. Throws when `withinMs` of virtual time, an hour by default, do not suffice. */
  runUntil(condition: () => boolean, withinMs?: number): Promise<void>;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Lets everything run that waits for no time. */
export async function settled(turns = QUIET_TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Where a sleeper stands among others in order: after those of its time. */
function placeOf(sleepers: readonly Sleeper[], { atMs }: Sleeper): number {
  let [from, to] = [0, sleepers.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sleepers[middle]?.atMs ?? 0) <= atMs) from = middle + 1;
    else to = middle;
  }
  return from;
}

export function virtualClock({ startMs = TEST_TIME_MS, quietTurns }: VirtualClockOptions = {}): VirtualClock {
  let nowMs = startMs;
  /** In the order of their times, and of calls where times are equal. */
  const sleepers: Sleeper[] = [];

  /** Wakes the next sleeper at `limitMs` or before. One whose time is infinite never wakes. */
  const wakeNext = (limitMs = Number.POSITIVE_INFINITY): boolean => {
    const [next] = sleepers;
    if (next === undefined || next.atMs > limitMs || next.atMs === Number.POSITIVE_INFINITY) return false;
    sleepers.shift();
    nowMs = Math.max(nowMs, next.atMs);
    next.wake();
    return true;
  };

  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (Number.isNaN(ms)) throw new RangeError('a sleep of NaN milliseconds');
        const cancel = () => {
          sleepers.splice(sleepers.lastIndexOf(sleeper), 1);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          atMs: nowMs + ms,
          wake: () => {
            signal?.removeEventListener('abort', cancel);
            resolve();
          },
        };
        sleepers.splice(placeOf(sleepers, sleeper), 0, sleeper);
        signal?.addEventListener('abort', cancel, { once: true });
      }),
    advance: async (ms) => {
      const endMs = nowMs + ms;
      do await settled(quietTurns);
      while (wakeNext(endMs));
      nowMs = endMs;
    },
    run: async (work) => {
      let isSettled = false;
      const settle = () => {
        isSettled = true;
      };
      work.then(settle, settle);
      for (await settled(quietTurns); !isSettled; await settled(quietTurns)) {
        if (!wakeNext()) throw new Error('nothing sleeps, and what is waited for has not happened');
      }
      return work;
    },
    runUntil: async (condition, withinMs = WITHIN_MS) => {
      const endMs = nowMs + withinMs;
      for (await settled(quietTurns); !condition(); await settled(quietTurns)) {
        if (wakeNext(endMs)) continue;
        if (nowMs === endMs) throw new Error(`not within ${withinMs} ms of virtual time: ${condition}`);
        nowMs = endMs;
      }
    },
  };
}

/** For code that does one thing after the other: each sleep moves the clock itself, and nothing else has to. */
export interface SteppingClock extends Clock {
  advance(ms: number): void;
  /** Sleeps so far, in milliseconds. */
  readonly sleepsMs: readonly number[];
}

/** Each sleep ends `oversleepMs` later than it should. */
export function steppingClock(startMs = TEST_TIME_MS, oversleepMs = 0): SteppingClock {
  let nowMs = startMs;
  const sleepsMs: number[] = [];
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      sleepsMs.push(ms);
      nowMs += ms + oversleepMs;
    },
    sleepsMs,
  };
}
