const ISO_WITH_OFFSET =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function daysIn(year: number, month: number): number {
  const leap = month === 2 && ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0);
  return leap ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** True for an ISO 8601 date and time that exists and names its offset: `2017-03-21T00:00:31-05:00`, `…Z`. */
export function isEventTime(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const parts = ISO_WITH_OFFSET.exec(value);
  if (parts === null) return false;
  const [year, month, day, hour, minute, second] = parts.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour < 24 &&
    minute < 60 &&
    second < 60
  );
}

const COMPACT_OFFSET = /([+-]\d{2})(\d{2})$/;

/** Milliseconds since 1970 of a time that {@link isEventTime} accepts. */
export function eventTimeMs(time: string): number {
  return Date.parse(time.replace(COMPACT_OFFSET, '$1:$2'));
}
