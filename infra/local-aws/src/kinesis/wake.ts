import type { Clock } from '@twinstream/runtime';

/** Lets one loop tell another that something has changed. */
export interface Wake {
  /** Ends the waits under way. */
  notify(): void;
  /** Resolves at the next notify, after `timeoutMs`, or when `stop` aborts, whichever comes first. */
  wait(stop: AbortSignal, timeoutMs?: number): Promise<void>;
}

export function wake(clock: Clock): Wake {
  let waiting = new Set<() => void>();
  return {
    notify: () => {
      const woken = waiting;
      waiting = new Set();
      for (const resume of woken) resume();
    },
    wait: async (stop, timeoutMs) => {
      if (stop.aborted) return;
      const cancel = new AbortController();
      let resume = () => {};
      const noticed = new Promise<void>((resolve) => {
        resume = resolve;
        waiting.add(resolve);
      });
      const stopped = new Promise<void>((resolve) =>
        stop.addEventListener('abort', () => resolve(), { once: true, signal: cancel.signal }),
      );
      const races = [noticed, stopped];
      if (timeoutMs !== undefined) {
        // The sleep rejects only because of the cancel below, after the race is over.
        races.push(clock.sleep(timeoutMs, cancel.signal).catch(() => undefined));
      }
      await Promise.race(races);
      cancel.abort();
      waiting.delete(resume);
    },
  };
}
