import type { Clock } from '@twinstream/runtime';

/** One timer on a clock. */
export interface Alarm {
  /** Rings at `atMs` or earlier; an alarm that is already set for an earlier time stays. */
  setFor(atMs: number): void;
  /** Takes back what is set. */
  clear(): void;
}

/** `ring` may be called too early, never too late, and sets the alarm again if it needs to. */
export function createAlarm(clock: Clock, ring: () => void): Alarm {
  let current: { readonly atMs: number; readonly cancel: AbortController } | undefined;

  function clear(): void {
    current?.cancel.abort();
    current = undefined;
  }

  return {
    clear,
    setFor(atMs) {
      if (current !== undefined && current.atMs <= atMs) return;
      clear();
      const cancel = new AbortController();
      const set = { atMs, cancel };
      current = set;
      clock.sleep(Math.max(0, atMs - clock.now()), cancel.signal).then(
        () => {
          if (current !== set) return;
          current = undefined;
          ring();
        },
        (error: unknown) => {
          if (!cancel.signal.aborted) throw error;
        },
      );
    },
  };
}
