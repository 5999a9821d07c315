import { storedTimeFault } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';

declare const asOf: unique symbol;

/** A time for which the state of a device can be requested; milliseconds since 1970. */
export type AsOfTime = number & { readonly [asOf]: true };

/**
 * How far a time may lie after the reader's clock, in milliseconds: clocks of callers, and of the stream that stamps the
 * arrivals, run ahead of it by a little.
 */
export const AS_OF_SKEW_MS = 10_000;

/** What is wrong with a time as that of a past state; undefined where nothing is. A state of the future is not known. */
export function asOfTimeFault(timeMs: number, nowMs: number): string | undefined {
  const fault = storedTimeFault(timeMs);
  if (fault !== undefined) return fault;
  if (timeMs - nowMs <= AS_OF_SKEW_MS) return undefined;
  return `lies in the future: now it is ${new Date(nowMs).toISOString()}`;
}

/** Throws `INVALID_TIME` for a time before 1970, after 2286, or more than {@link AS_OF_SKEW_MS} after now. */
export function asOfTime(timeMs: number, nowMs: number): AsOfTime {
  const fault = asOfTimeFault(timeMs, nowMs);
  if (fault !== undefined) throw new CodedError('INVALID_TIME', `the time of a state ${fault}`);
  return timeMs as AsOfTime;
}
