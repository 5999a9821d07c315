import { type Clock, CodedError } from '@twinstream/runtime';

/**
 * What `call` resolves to, unless it takes longer than `limitMs` or `stop` is aborted: then its own signal is aborted, and
 * this rejects with `STREAM_UNAVAILABLE` without waiting for it.
 */
export async function withinTime<T>(
  clock: Clock,
  limitMs: number,
  stop: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancelCall = new AbortController();
  const cancelTimer = new AbortController();
  const { promise: stopped, reject: giveUp } = Promise.withResolvers<never>();
  const cancel = (message: string): void => {
    const error = new CodedError('STREAM_UNAVAILABLE', message, { retryable: true });
    giveUp(error);
    cancelCall.abort(error);
  };
  if (stop.aborted)
    throw new CodedError('STREAM_UNAVAILABLE', 'the producer was stopped', { retryable: true });
  const onStop = (): void => cancel('the producer was stopped before the answer');
  stop.addEventListener('abort', onStop, { once: true });
  clock.sleep(limitMs, cancelTimer.signal).then(
    () => cancel(`no answer within ${limitMs} ms`),
    (error: unknown) => {
      if (!cancelTimer.signal.aborted) giveUp(error);
    },
  );
  try {
    return await Promise.race([call(cancelCall.signal), stopped]);
  } finally {
    cancelTimer.abort();
    stop.removeEventListener('abort', onStop);
  }
}
