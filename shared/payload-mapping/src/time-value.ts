import { isEventTime } from '@twinstream/device-model';
import { isRawNumber, numberOf, type PayloadValue, textOf } from './payload-value.ts';

export const TIME_UNITS = [
  'seconds',
  'milliseconds',
  'microseconds',
  'nanoseconds',
  'by-magnitude',
  'iso',
] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

/** Decimal places of each unit below the second. */
const PLACES: Readonly<Record<string, number>> = {
  seconds: 0,
  milliseconds: 3,
  microseconds: 6,
  nanoseconds: 9,
};
const NANOSECOND_PLACES = 9;
const MILLISECONDS_PLACES = 3;

/**
 * Smallest magnitude of each unit, finest first. A time in seconds stays below 1e11 until the year 5138, one in milliseconds
 * is above it since March 1973; so with the others.
 */
const MICROSECONDS_FROM = 1e14;
const MILLISECONDS_FROM = 1e11;
const BY_MAGNITUDE = [
  ['nanoseconds', 1e17],
  ['microseconds', MICROSECONDS_FROM],
  ['milliseconds', MILLISECONDS_FROM],
  ['seconds', 0],
] as const;

/** Years 0000 to 9999, the range of the event's time. */
const SECONDS_MIN = -62_167_219_200n;
const SECONDS_MAX = 253_402_300_799n;

/** Those of them that a date writes with four digits of the year. */
const MILLISECONDS_MIN = Number(SECONDS_MIN) * 1_000;
const MILLISECONDS_MAX = Number(SECONDS_MAX) * 1_000;

const NUMBER = /^(-?)(\d{1,20})(?:\.(\d{1,30}))?(?:[eE]\+?(\d{1,2}))?$/;

/** Time since 1970 in a unit, as ISO 8601 in UTC; digits below the nanosecond are cut off. Undefined where it is no such time. */
export function epochTime(value: PayloadValue, unit: Exclude<TimeUnit, 'iso'>): string | undefined {
  const number = numberOf(value);
  if (number === undefined) return undefined;
  if (typeof number === 'number' && Number.isSafeInteger(number)) {
    const ms = millisecondsOf(number, unit);
    if (ms !== undefined) return isoOfMilliseconds(ms);
  }
  const words = isRawNumber(number) ? number.rawJSON : String(number);
  const parts = NUMBER.exec(words);
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts;
  const magnitude = Math.abs(Number(words));
  const named = unit === 'by-magnitude' ? BY_MAGNITUDE.find(([, least]) => magnitude >= least)?.[0] : unit;
  // The point moves right by what makes nanoseconds of the unit.
  const shift = NANOSECOND_PLACES - (PLACES[named ?? unit] ?? 0) + Number(exponent);
  const digits = whole + fraction.slice(0, shift).padEnd(shift, '0');
  const nanoseconds = BigInt(`${sign}${digits}`);
  return isoOfNanoseconds(nanoseconds);
}

/** Whole milliseconds of a whole number of seconds or milliseconds, which is what most times are; undefined for others. */
function millisecondsOf(number: number, unit: TimeUnit): number | undefined {
  const magnitude = Math.abs(number);
  const isMilliseconds =
    unit === 'by-magnitude'
      ? magnitude >= MILLISECONDS_FROM && magnitude < MICROSECONDS_FROM
      : unit === 'milliseconds';
  const isSeconds = unit === 'by-magnitude' ? magnitude < MILLISECONDS_FROM : unit === 'seconds';
  const ms = isMilliseconds ? number : isSeconds ? number * 1_000 : Number.NaN;
  return ms >= MILLISECONDS_MIN && ms <= MILLISECONDS_MAX ? ms : undefined;
}

const MILLISECONDS_PER_DAY = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));

/** The day of the last time: events lie close together, and a date costs most of the text of a time. */
let known = { day: Number.NaN, text: '' };

/** As a date writes it, of a time in the years 0000 to 9999. */
function isoOfMilliseconds(time: number): string {
  const day = Math.floor(time / MILLISECONDS_PER_DAY);
  if (day !== known.day) known = { day, text: new Date(time).toISOString().slice(0, 'yyyy-mm-ddT'.length) };
  const ms = time - day * MILLISECONDS_PER_DAY;
  const seconds = Math.floor(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const fraction = String(ms % 1_000).padStart(MILLISECONDS_PLACES, '0');
  return `${known.text}${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}.${fraction}Z`;
}

function isoOfNanoseconds(nanoseconds: bigint): string | undefined {
  const perSecond = 10n ** BigInt(NANOSECOND_PLACES);
  const below = ((nanoseconds % perSecond) + perSecond) % perSecond;
  const seconds = (nanoseconds - below) / perSecond;
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) return undefined;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  const fraction = String(below).padStart(NANOSECOND_PLACES, '0');
  // Milliseconds always, as the event's own format has them; finer digits where there are any.
  const fine = fraction.slice(MILLISECONDS_PLACES).replace(/0+$/, '');
  return `${whole}.${fraction.slice(0, MILLISECONDS_PLACES)}${fine}Z`;
}

const ISO_CHARACTERS_MAX = 64;
const ISO =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,30}))?\s?([Zz]|[+-]\d{2}(?::?\d{2})?)?$/;

/**
 * An ISO 8601 time as the event has it: an offset of hours gets its minutes, a blank its `T`, and a time without offset the
 * offset given. Undefined where it is no such time or has no offset and none was given.
 */
export function isoTime(value: PayloadValue, offset: string | undefined): string | undefined {
  const text = textOf(value)?.trim();
  if (text === undefined || text.length > ISO_CHARACTERS_MAX) return undefined;
  if (isEventTime(text)) return text;
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const [, day = '', clock = '', fraction, written] = parts;
  const zone = written ?? offset;
  if (zone === undefined) return undefined;
  const seconds = clock.length === 'hh:mm'.length ? `${clock}:00` : clock;
  const digits = fraction === undefined ? '' : `.${fraction.slice(0, NANOSECOND_PLACES)}`;
  const full = zone.length === '+hh'.length ? `${zone}:00` : zone.toUpperCase();
  const time = `${day}T${seconds}${digits}${full}`;
  return isEventTime(time) ? time : undefined;
}
