import type { EventJson, SeriesAnswer } from '@twinstream/api-contract';

/** One line of a plot: seconds since 1970, rising, and what was held from then on; null where the device was silent. */
export interface SeriesColumns {
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

/** Attributes that were a number at least twice, those that were it most first. */
export function numericNames(events: readonly EventJson[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { data = {} } of events) {
    for (const [name, value] of Object.entries(data))
      if (typeof value === 'number') counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .map(([name]) => name);
}

/** Buckets of one series. */
const BUCKETS = 400;

/** Length of a bucket so that a span has some hundreds of them; milliseconds. */
export function intervalOf(spanMs: number): number {
  return Math.max(1, Math.ceil(spanMs / BUCKETS));
}

/**
 * A series as a line: a value holds until the next, up to `untilMs`, but not over a gap longer than `silenceMs`.
 * Milliseconds.
 */
export function columnsOf(
  { buckets, gaps }: SeriesAnswer,
  silenceMs: number,
  untilMs: number,
): SeriesColumns {
  const points: [number, number | null][] = buckets.map(({ time, value }) => [Date.parse(time), value]);
  const first = points[0]?.[0];
  if (first === undefined) return { times: [], values: [] };
  let isSilent = false;
  for (const gap of gaps) {
    const [from, to] = [Date.parse(gap.from), Date.parse(gap.to)];
    // What lies before the first value is not silence: the history at hand begins later.
    if (from < first || to - from <= silenceMs) continue;
    points.push([from, null]);
    isSilent ||= to >= untilMs;
  }
  points.sort(([a], [b]) => a - b);
  const last = points.at(-1)?.[1];
  if (!isSilent && last !== undefined) points.push([untilMs, last]);
  return { times: points.map(([time]) => time / 1_000), values: points.map(([, value]) => value) };
}
