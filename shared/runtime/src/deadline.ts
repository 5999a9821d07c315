import type { Clock } from './clock.ts';
import { CodedError } from './coded-error.ts';

const NEAR = new CodedError('DEADLINE_NEAR', 'the deadline of the invocation is near', { retryable: true });

/**
 * Runs `work` with a signal that aborts `ms` milliseconds from now, and takes the timer back when the work is done. From 0
 * downward the signal is aborted from the start.
 */
export async function withDeadline<Result>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = new AbortController();
  const done = new AbortController();
  const abort = () => deadline.abort(NEAR);
  if (ms <= 0) abort();
  const timer = clock.sleep(Math.max(0, ms), done.signal).then(abort, () => undefined); // Rejects when the work was done first.
  try {
    return await work(deadline.signal);
  } finally {
    done.abort();
    await timer;
  }
}
