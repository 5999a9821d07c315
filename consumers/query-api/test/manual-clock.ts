import type { Clock } from '@twinstream/runtime';

/** Time that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves time, waking each sleeper when its time has come, and lets what they do run. */
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly time: number;
  readonly wake: () => void;
}

/** When tests begin: 2026-11-02T08:00:00Z. */
export const TEST_TIME = 1_793_606_400_000;

export function manualClock(startTime = TEST_TIME): ManualClock {
  let now = startTime;
  let sleepers: Sleeper[] = [];
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const sleeper = { time: now + ms, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener(
          'abort',
          () => {
            sleepers = sleepers.filter((one) => one !== sleeper);
            reject(signal.reason);
          },
          { once: true },
        );
      }),
    advance: async (ms) => {
      const end = now + ms;
      for (;;) {
        await settled();
        const due = sleepers.filter(({ time }) => time <= end).sort((a, b) => a.time - b.time)[0];
        if (due === undefined) break;
        sleepers = sleepers.filter((one) => one !== due);
        now = Math.max(now, due.time);
        due.wake();
      }
      now = end;
      await settled();
    },
  };
}

/** Turns of the event loop after which what runs on memory alone has come to rest. */
const TURNS = 20;

/** Lets everything run that waits for no time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
