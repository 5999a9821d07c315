import type { Clock } from '@twinstream/runtime';

interface Timer {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that jumps to its next timer as soon as nothing else can run. For work that waits for timers alone. */
export function virtualClock(startedAt = 0): Clock {
  const timers = new Set<Timer>();
  let now = startedAt;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || timers.size === 0) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      const [next] = [...timers].sort((a, b) => a.at - b.at);
      if (next === undefined) return;
      timers.delete(next);
      now = Math.max(now, next.at);
      next.wake();
      schedule();
    });
  }

  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const cancel = () => {
          timers.delete(timer);
          reject(signal?.reason);
        };
        const timer = {
          at: now + ms,
          wake: () => {
            signal?.removeEventListener('abort', cancel);
            resolve();
          },
        };
        signal?.addEventListener('abort', cancel, { once: true });
        timers.add(timer);
        schedule();
      }),
  };
}
