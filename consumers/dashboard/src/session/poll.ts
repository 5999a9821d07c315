import { effect } from '@preact/signals';
import { canPoll, revalidation } from './connection.ts';

export interface PollOptions {
  /** Runs immediately, then again so long after it has ended; milliseconds. Asked before each wait. */
  readonly everyMs: () => number;
  /** Reads something; must not throw. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Runs something repeatedly, one run at a time, while the page is visible and not paused; immediately when what is
 * shown must be read again. Returns the function that ends it and aborts the run under way.
 */
export function startPoll({ everyMs, run }: PollOptions): () => void {
  const closing = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  let isWanted = false;

  const step = async (): Promise<void> => {
    clearTimeout(timer);
    if (isRunning) {
      isWanted = true;
      return;
    }
    if (closing.signal.aborted) return;
    if (canPoll.peek() && !document.hidden) {
      isRunning = true;
      isWanted = false;
      await run(closing.signal);
      isRunning = false;
    }
    if (closing.signal.aborted) return;
    timer = setTimeout(step, isWanted ? 0 : everyMs());
  };
  const stopWatching = effect(() => {
    revalidation.value;
    void step();
  });
  const onVisible = (): void => {
    if (!document.hidden) void step();
  };
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    closing.abort();
    clearTimeout(timer);
    stopWatching();
    document.removeEventListener('visibilitychange', onVisible);
  };
}
