declare const brand: unique symbol;

/** Name of a device, and the partition key of its events: 1-128 of `A-Z a-z 0-9 . _ : -`. */
export type DeviceId = string & { readonly [brand]: 'DeviceId' };

const DEVICE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

export function isDeviceId(value: unknown): value is DeviceId {
  return typeof value === 'string' && DEVICE_ID.test(value);
}

/** Throws RangeError when `text` is not a legal device id. */
export function deviceId(text: string): DeviceId {
  if (!isDeviceId(text)) throw new RangeError(`not a device id: ${JSON.stringify(text.slice(0, 140))}`);
  return text;
}

/** Segments that every URL parser removes, percent-encoded ones too (WHATWG URL, "single-dot" and "double-dot URL path segment"). */
const DOTS = /^\.{1,2}$/;
const ESCAPED_DOTS = /^~(\.{1,2})$/;

/** A device id as one segment of a URL's path: itself, but `~.` and `~..` for the ids `.` and `..`, which no path can hold. */
export function devicePathSegment(deviceId: string): string {
  return DOTS.test(deviceId) ? `~${deviceId}` : encodeURIComponent(deviceId);
}

/** Inverse of {@link devicePathSegment}, of a segment that is decoded already. `~` is in no device id. */
export function deviceIdOfPath(segment: string): string {
  return ESCAPED_DOTS.exec(segment)?.[1] ?? segment;
}
