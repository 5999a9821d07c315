import { type Clock, CodedError } from '@twinstream/runtime';
import { withinTime } from './time-limit.ts';
import type { StreamTransport, TransportAnswer, TransportRecord } from './transport.ts';

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
