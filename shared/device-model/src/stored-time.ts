/** Latest time that stored history can hold, in milliseconds since 1970: the keys of pages have 13 digits of them. */
export const ARRIVAL_TIME_MAX = 9_999_999_999_999;

/** What is wrong with a time as a bound of stored history, in the words of a fault; undefined where nothing is. */
export function storedTimeFault(timeMs: number): string | undefined {
  if (timeMs >= 0 && timeMs <= ARRIVAL_TIME_MAX) return undefined;
  const last = new Date(ARRIVAL_TIME_MAX).toISOString();
  return `must lie between 1970-01-01T00:00:00.000Z and ${last}: nothing can be stored outside`;
}
