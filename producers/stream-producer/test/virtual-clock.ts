import type { Clock } from '@twinstream/runtime';

/** A clock that stands still while anything can happen, and then jumps to the next sleeper. */
export interface VirtualClock extends Clock {
  /** Lets time pass until `until` settles. Throws when nothing sleeps and nothing happens: then it never would. */
  run<T>(until: Promise<T>): Promise<T>;
  /** Lets `ms` milliseconds pass. */
  pass(ms: number): Promise<void>;
}

interface Sleeper {
  readonly wakeAtMs: number;
  readonly order: number;
  readonly wake: () => void;
}

const START_MS = Date.UTC(2026, 10, 23);

/** All microtasks, and what they start, run before the next macrotask. */
const untilQuiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createVirtualClock(): VirtualClock {
  let nowMs = START_MS;
  let order = 0;
  const sleepers = new Set<Sleeper>();

  function earliest(): Sleeper | undefined {
    let found: Sleeper | undefined;
    for (const sleeper of sleepers) {
      const isEarlier =
        found === undefined ||
        sleeper.wakeAtMs < found.wakeAtMs ||
        (sleeper.wakeAtMs === found.wakeAtMs && sleeper.order < found.order);
      if (isEarlier) found = sleeper;
    }
    return found;
  }

  const clock: VirtualClock = {
    now: () => nowMs,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const onAbort = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          wakeAtMs: nowMs + ms,
          order: order++,
          wake() {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    async run(until) {
      let isSettled = false;
      const settle = (): void => {
        isSettled = true;
      };
      until.then(settle, settle);
      for (await untilQuiet(); !isSettled; await untilQuiet()) {
        const next = earliest();
        if (next === undefined) throw new Error('nothing sleeps, and what is waited for has not happened');
        sleepers.delete(next);
        nowMs = Math.max(nowMs, next.wakeAtMs);
        next.wake();
      }
      return until;
    },
    pass: (ms) => clock.run(clock.sleep(ms)),
  };
  return clock;
}
