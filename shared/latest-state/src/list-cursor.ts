import { type DeviceId, isDeviceId } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import type { DeviceListQuery } from './latest-state-table.ts';

/** Where a list goes on: after this device. */
export interface ListPlace {
  readonly deviceId: DeviceId;
}

export const LIST_DEVICES_MAX = 1_000;

/** Throws RangeError for a limit outside 1 to {@link LIST_DEVICES_MAX}. */
export function requireListLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_DEVICES_MAX) {
    throw new RangeError(`limit must be 1-${LIST_DEVICES_MAX}`);
  }
}

type ListFilter = Pick<DeviceListQuery, 'site' | 'status'>;

/** An opaque cursor that is good for the same site and status alone. */
export function encodeListCursor({ site, status }: ListFilter, { deviceId }: ListPlace): string {
  return Buffer.from(JSON.stringify([deviceId, site ?? null, status ?? null])).toString('base64url');
}

/** The place that the query's cursor names, or undefined without one. Throws `INVALID_CURSOR` for any text that was not given for this query. */
export function decodeListCursor({
  site,
  status,
  cursor,
}: ListFilter & { cursor?: string }): ListPlace | undefined {
  if (cursor === undefined) return undefined;
  const parts = parse(cursor);
  if (!Array.isArray(parts) || parts.length !== 3) throw invalid();
  const [deviceId, ofSite, ofStatus] = parts;
  if (!isDeviceId(deviceId) || ofSite !== (site ?? null) || ofStatus !== (status ?? null)) throw invalid();
  return { deviceId };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw invalid(cause);
  }
}

function invalid(cause?: unknown): CodedError {
  return new CodedError('INVALID_CURSOR', 'the cursor was not given for this list', { cause });
}
