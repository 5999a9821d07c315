/** All but the length of months. */
const ISO_WITH_OFFSET =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/;
const DAYS_IN_EVERY_MONTH = '28';
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function daysIn(year: number, month: number): number {
  const leap = month === 2 && ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0);
  return leap ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** True for an ISO 8601 date and time that exists and names its offset: `2017-03-21T00:00:31-05:00`, `…Z`. */
export function isEventTime(value: unknown): value is string {
  if (typeof value !== 'string' || !ISO_WITH_OFFSET.test(value)) return false;
  const day = value.slice(8, 10);
  return (
    day <= DAYS_IN_EVERY_MONTH || Number(day) <= daysIn(Number(value.slice(0, 4)), Number(value.slice(5, 7)))
  );
}

const COMPACT_OFFSET = /([+-]\d{2})(\d{2})$/;

/** Milliseconds since 1970 of a time that {@link isEventTime} accepts. */
export function eventTimeMs(time: string): number {
  return Date.parse(time.endsWith('Z') ? time : time.replace(COMPACT_OFFSET, '$1:$2'));
}
