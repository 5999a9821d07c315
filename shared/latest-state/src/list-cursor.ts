import { type DeviceId, isDeviceId } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';

export const LIST_DEVICES_MAX = 1_000;

/** Throws RangeError for a limit outside 1 to {@link LIST_DEVICES_MAX}. */
export function requireListLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_DEVICES_MAX) {
    throw new RangeError(`limit must be 1-${LIST_DEVICES_MAX}`);
  }
}

/** An opaque cursor: the list continues after this device. */
export function encodeListCursor(deviceId: DeviceId): string {
  return Buffer.from(JSON.stringify([deviceId])).toString('base64url');
}

/** The device that the cursor names, or undefined without one. Throws `INVALID_CURSOR` for any text that {@link encodeListCursor} did not make. */
export function decodeListCursor(cursor: string | undefined): DeviceId | undefined {
  if (cursor === undefined) return undefined;
  const parts = parse(cursor);
  if (!Array.isArray(parts) || parts.length !== 1) throw invalid();
  const [deviceId] = parts;
  if (!isDeviceId(deviceId)) throw invalid();
  return deviceId;
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw invalid(cause);
  }
}

function invalid(cause?: unknown): CodedError {
  return new CodedError('INVALID_CURSOR', 'the cursor was not returned by a list of devices', { cause });
}
