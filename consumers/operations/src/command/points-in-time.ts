import { eventTimeMs, isEventTime, storedTimeFault } from '@twinstream/device-model';
import { CodedError, parseDurationMs } from '@twinstream/runtime';

/** The beginning of everything. */
export const EARLIEST = 0;

/**
 * Milliseconds since 1970 of a point in time: ISO 8601 with offset, a duration that counts back from now (`PT2H`, `90m`),
 * `now`, or `earliest` (0). Throws `INVALID_TIME`, also for one at which nothing can be stored: before 1970 or after 2286.
 */
export function pointInTimeMs(text: string, nowMs: number): number {
  const timeMs = readPointInTime(text, nowMs);
  const fault = storedTimeFault(timeMs);
  if (fault !== undefined) throw new CodedError('INVALID_TIME', `${JSON.stringify(text)} ${fault}`);
  return timeMs;
}

function readPointInTime(text: string, nowMs: number): number {
  const ago = text.replace(/^-/, '');
  if (text === 'earliest') return EARLIEST;
  if (text === 'now') return nowMs;
  if (isEventTime(text)) return eventTimeMs(text);
  try {
    return nowMs - parseDurationMs(ago);
  } catch {
    const forms = '2026-11-23T08:00:00Z, PT2H or 90m (that long ago), earliest, now';
    throw new CodedError('INVALID_TIME', `invalid time ${JSON.stringify(text)}; expected one of: ${forms}`);
  }
}
