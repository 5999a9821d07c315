declare const brand: unique symbol;

/**
 * Name of a device, and the partition key of its events: 1-256 characters of letters, marks, digits, punctuation, symbols and
 * spaces of any script, no space at its beginning or end. Neither control nor invisible characters: an id is shown in tables,
 * logs and lines of files. It is not normalized, and is its own key everywhere.
 */
export type DeviceId = string & { readonly [brand]: 'DeviceId' };

/** What a fault of an id says that it should be. */
export const DEVICE_ID_RULE = '1-256 letters, digits, punctuation, symbols and inner spaces';

/** Kinesis counts Unicode characters of a partition key in the same way (`PARTITION_KEY_CHARACTERS_MAX`). */
const DEVICE_ID = /^(?! )[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,256}(?<! )$/u;
/** What most ids are: told in a tenth of the time. */
const PLAIN_DEVICE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

export function isDeviceId(value: unknown): value is DeviceId {
  return typeof value === 'string' && (PLAIN_DEVICE_ID.test(value) || DEVICE_ID.test(value));
}

/** Throws RangeError when `text` is not a legal device id. */
export function deviceId(text: string): DeviceId {
  if (!isDeviceId(text)) throw new RangeError(`not a device id: ${JSON.stringify(text.slice(0, 140))}`);
  return text;
}

/** Segments that every URL parser removes, percent-encoded ones too (WHATWG URL, "single-dot" and "double-dot URL path segment"). */
const DOTS = /^\.{1,2}$/;
const ESCAPED_DOTS = /^~(\.{1,2})$/;

/**
 * A device id as one segment of a URL's path: percent-encoded, after `~` became `~0` and `/` became `~1` (as in JSON
 * Pointer, RFC 6901), since servers and gateways disagree on `%2F`; `~.` and `~..` for the ids `.` and `..`, which no
 * path can hold.
 */
export function devicePathSegment(deviceId: string): string {
  if (DOTS.test(deviceId)) return `~${deviceId}`;
  return encodeURIComponent(deviceId.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** Inverse of {@link devicePathSegment}, of a segment that is percent-decoded already. */
export function deviceIdOfPath(segment: string): string {
  return ESCAPED_DOTS.exec(segment)?.[1] ?? segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
