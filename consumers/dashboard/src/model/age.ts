const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** From here on hours say nothing any more. */
const DAYS_ALONE_FROM = 10;

const two = (value: number): string => String(value).padStart(2, '0');

/** A span of milliseconds in at most two units, for tables: `12 s`, `3 m 04 s`, `2 h 05 m`, `3 d 04 h`, `72 d`. Below 0 counts as 0. */
export function ageText(spanMs: number): string {
  if (!(spanMs >= SECOND_MS)) return '0 s';
  if (spanMs < MINUTE_MS) return `${Math.floor(spanMs / SECOND_MS)} s`;
  if (spanMs < HOUR_MS) {
    return `${Math.floor(spanMs / MINUTE_MS)} m ${two(Math.floor((spanMs % MINUTE_MS) / SECOND_MS))} s`;
  }
  if (spanMs < DAY_MS) {
    return `${Math.floor(spanMs / HOUR_MS)} h ${two(Math.floor((spanMs % HOUR_MS) / MINUTE_MS))} m`;
  }
  const days = Math.floor(spanMs / DAY_MS);
  return days >= DAYS_ALONE_FROM
    ? `${days} d`
    : `${days} d ${two(Math.floor((spanMs % DAY_MS) / HOUR_MS))} h`;
}

/** A lag in the unit that fits: `0 ms`, `850 ms`, `2.4 s`, then as an age. */
export function lagText(lagMs: number): string {
  if (lagMs < SECOND_MS) return `${Math.max(0, Math.round(lagMs))} ms`;
  if (lagMs < 10 * SECOND_MS) return `${(lagMs / SECOND_MS).toFixed(1)} s`;
  return ageText(lagMs);
}
