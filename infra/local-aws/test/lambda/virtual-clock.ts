import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@twinstream/runtime';

interface Sleeper {
  readonly atMs: number;
  wake(): void;
}

/** A clock that stands still while anything can run, and then jumps to the next sleeper. */
export interface VirtualClock extends Clock {
  /** Runs until `condition` holds. Throws when `withinMs` of virtual time did not bring it about. */
  runUntil(condition: () => boolean, withinMs?: number): Promise<void>;
  /** Runs for a stretch of virtual time. */
  runFor(ms: number): Promise<void>;
}

/** Turns of the event loop after which nothing is left to run: more than any chain of promises in these tests. */
const QUIET_TURNS = 5;

export function virtualClock(startMs = Date.UTC(2026, 10, 23, 12)): VirtualClock {
  let nowMs = startMs;
  let sleepers: Sleeper[] = [];

  const quiet = async () => {
    for (let index = 0; index < QUIET_TURNS; index += 1) await turn();
  };
  const jump = (limitMs: number) => {
    const next = Math.min(limitMs, ...sleepers.map(({ atMs }) => atMs));
    nowMs = Math.max(nowMs, next);
    const due = sleepers.filter(({ atMs }) => atMs <= nowMs);
    sleepers = sleepers.filter(({ atMs }) => atMs > nowMs);
    for (const sleeper of due) sleeper.wake();
  };
  const runUntil: VirtualClock['runUntil'] = async (condition, withinMs = 3_600_000) => {
    const deadlineMs = nowMs + withinMs;
    for (;;) {
      await quiet();
      if (condition()) return;
      if (nowMs >= deadlineMs)
        throw new Error(`not within ${withinMs} ms of virtual time: ${String(condition)}`);
      jump(deadlineMs);
    }
  };
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { atMs: nowMs + ms, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener(
          'abort',
          () => {
            sleepers = sleepers.filter((each) => each !== sleeper);
            reject(signal.reason);
          },
          { once: true },
        );
      }),
    runUntil,
    runFor: async (ms) => {
      const endMs = nowMs + ms;
      await runUntil(() => nowMs >= endMs, ms);
      await quiet();
    },
  };
}
