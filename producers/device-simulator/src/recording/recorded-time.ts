import { eventTimeMs, isEventTime } from '@twinstream/device-model';

const DATE_AND_TIME =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(?:(:\d{2})(?:[.,](\d+))?)? ?(?:([Zz])|([+-]\d{2})(?::?(\d{2}))?)?$/;
const EPOCH_SECONDS = /^(\d{9,10})(?:\.(\d+))?$/;
const EPOCH_MS = /^\d{12,13}$/;

/** An offset that can be given for times that name none: `Z`, `+01:00`, `-0500`. */
export function isOffset(text: string): boolean {
  return isEventTime(`2000-01-01T00:00:00${text}`);
}

/**
 * The moment that a recorded time names, in milliseconds since 1970; undefined where it names none.
 *
 * ISO 8601 with an offset, or what is commonly written in its place: a blank for the `T`, a comma in the fraction, an offset
 * of hours alone. Without an offset it names a moment only when `offset` is given. Also seconds since 1970 (9 or 10
 * digits, with a fraction or not) and milliseconds since 1970 (12 or 13 digits). Digits beyond the millisecond are cut.
 */
export function recordedTimeMs(text: string, offset: string | undefined): number | undefined {
  const epoch = EPOCH_SECONDS.exec(text);
  // By digits: the product of a fraction and 1,000 may lie below its millisecond.
  if (epoch !== null) return Number(epoch[1]) * 1_000 + Number(millisecondDigits(epoch[2]));
  if (EPOCH_MS.test(text)) return Number(text);
  const parts = DATE_AND_TIME.exec(text);
  if (parts === null) return undefined;
  const [, date, minutes, seconds = ':00', fraction, zulu, hoursOff, minutesOff = '00'] = parts;
  const own = zulu !== undefined ? 'Z' : hoursOff !== undefined ? `${hoursOff}:${minutesOff}` : undefined;
  const zone = own ?? offset;
  if (zone === undefined) return undefined;
  const iso = `${date}T${minutes}${seconds}.${millisecondDigits(fraction)}${zone}`;
  return isEventTime(iso) ? eventTimeMs(iso) : undefined;
}

function millisecondDigits(fraction = ''): string {
  return fraction.slice(0, 3).padEnd(3, '0');
}
