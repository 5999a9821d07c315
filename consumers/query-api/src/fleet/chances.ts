import type { Clock } from '@twinstream/runtime';

/** Lets any number of callers wait for the next moment at which something may have changed. */
export interface Chances {
  /** Resolves at the next `give`, after `ms` milliseconds, or when a signal is aborted. Never rejects. */
  next(ms: number, caller?: AbortSignal): Promise<void>;
  give(): void;
}

export function createChances(clock: Clock, closing: AbortSignal): Chances {
  const waiting = new Set<() => void>();
  return {
    next: (ms, caller) => {
      const done = new AbortController();
      return new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          done.abort();
          resolve();
        };
        waiting.add(wake);
        const signals = [done.signal, closing, ...(caller === undefined ? [] : [caller])];
        clock.sleep(ms, AbortSignal.any(signals)).then(wake, wake);
      });
    },
    give: () => {
      for (const wake of [...waiting]) wake();
    },
  };
}
