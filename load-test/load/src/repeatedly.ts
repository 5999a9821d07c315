/** Work that is done repeatedly. */
export interface Repetition {
  stop(): void;
  /** Resolves when the last round has ended. */
  readonly stopped: Promise<void>;
  /** Rounds that rejected. */
  readonly failures: () => number;
}

/** Starts a round every `everyMs`, or immediately after one that took longer; never two concurrently. */
export function repeatedly(everyMs: number, work: () => Promise<void>): Repetition {
  const controller = new AbortController();
  let failures = 0;
  const run = async () => {
    while (!controller.signal.aborted) {
      const dueMs = performance.now() + everyMs;
      await work().catch(() => {
        failures += 1;
      });
      await pause(dueMs - performance.now(), controller.signal);
    }
  };
  return { stop: () => controller.abort(), stopped: run(), failures: () => failures };
}

/** Until the time is over or the signal is given. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener('abort', done);
  });
}
