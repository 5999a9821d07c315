import { type Clock, CodedError } from '@twinstream/runtime';
import type { StreamTransport, TransportAnswer, TransportRecord } from './transport.ts';

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

/** How a request as a whole ended. */
export type RequestResult =
  | { readonly status: 'answered'; readonly answers: readonly TransportAnswer[] }
  /** Refused for its rate; nothing is stored. */
  | { readonly status: 'throttled'; readonly error: CodedError }
  /** No answer, so anything may be stored. */
  | { readonly status: 'unanswered'; readonly error: CodedError }
  /** Refused as malformed; nothing is stored. */
  | { readonly status: 'malformed'; readonly error: CodedError }
  /** Refused for good; nothing is stored. */
  | { readonly status: 'refused'; readonly error: CodedError };

/** Sends one PutRecords request. Never rejects: every failure is a result. */
export async function putRequest(
  transport: StreamTransport,
  records: readonly TransportRecord[],
  clock: Clock,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<RequestResult> {
  try {
    const answers = await withinTime(clock, timeoutMs, stop, async (signal) =>
      transport.putRecords(records, signal),
    );
    if (answers.length === records.length) return { status: 'answered', answers };
    const message = `${answers.length} answers to ${records.length} records`;
    return {
      status: 'unanswered',
      error: new CodedError('STREAM_UNAVAILABLE', message, { retryable: true }),
    };
  } catch (cause) {
    return failedRequest(cause);
  }
}

function failedRequest(cause: unknown): RequestResult {
  if (!(cause instanceof CodedError)) {
    const error = new CodedError('STREAM_UNAVAILABLE', 'the request failed without an answer', {
      retryable: true,
      cause,
    });
    return { status: 'unanswered', error };
  }
  if (cause.code === 'STREAM_THROTTLED') return { status: 'throttled', error: cause };
  if (cause.code === 'REQUEST_INVALID') return { status: 'malformed', error: cause };
  if (cause.code === 'STREAM_REJECTED') return { status: 'refused', error: cause };
  return { status: 'unanswered', error: cause };
}
