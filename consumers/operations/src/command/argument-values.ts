import { usageError } from '@twinstream/command-line';
import {
  DEVICE_ID_RULE,
  type DeviceId,
  eventTimeMs,
  isDeviceId,
  isEventTime,
  storedTimeFault,
} from '@twinstream/device-model';
import { CodedError, parseDurationMs } from '@twinstream/runtime';
import { isShardId, type ShardId } from '@twinstream/stream-model';

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

/** A device id as it was written on the command line. Throws `INVALID_USAGE`. */
export function readDeviceId(text: string): DeviceId {
  if (isDeviceId(text)) return text;
  throw usageError(`invalid device id ${JSON.stringify(text)}: expected ${DEVICE_ID_RULE}`);
}

/** The text of a file without the mark that some editors begin UTF-8 with: it belongs to no line. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** A shard id as it was written on the command line. Throws `INVALID_USAGE`. */
export function readShardId(text: string): ShardId {
  if (isShardId(text)) return text;
  throw usageError(`--shard ${text}: write shardId-000000000000`);
}
