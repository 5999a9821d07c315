import { CodedError } from '@twinstream/runtime';

/** Nothing was changed, because something does not hold that must. The message names the cause and the next step. */
export function refusal(code: string, message: string): CodedError {
  return new CodedError(code, message, { cause: REFUSED });
}

/** Marks an error as a refusal. */
const REFUSED = Symbol('refused');

export function isRefusal(error: CodedError): boolean {
  return error.cause === REFUSED;
}

/** What was asked for makes no sense: put the command line right. */
export function usageError(message: string): CodedError {
  return new CodedError('INVALID_USAGE', message);
}
