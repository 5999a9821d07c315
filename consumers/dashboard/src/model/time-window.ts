/** Stretches of history that one can choose, by the name in the address. */
export const TIME_WINDOWS = [
  { name: '15m', label: '15 min', spanMs: 15 * 60_000 },
  { name: '1h', label: '1 hour', spanMs: 3_600_000 },
  { name: '6h', label: '6 hours', spanMs: 6 * 3_600_000 },
  { name: '24h', label: '24 hours', spanMs: 24 * 3_600_000 },
  { name: '7d', label: '7 days', spanMs: 7 * 24 * 3_600_000 },
] as const;

/** The newest events, however old. */
export const NEWEST = 'newest';

export function windowSpanMs(name: string): number | undefined {
  return TIME_WINDOWS.find((window) => window.name === name)?.spanMs;
}

/** How many events fall into each of equal parts of a span. */
export function densityOf(
  timesMs: readonly number[],
  fromMs: number,
  toMs: number,
  parts: number,
): readonly number[] {
  const counts = new Array<number>(parts).fill(0);
  const span = toMs - fromMs;
  if (span <= 0) return counts;
  for (const time of timesMs) {
    if (time < fromMs || time > toMs) continue;
    const part = Math.min(Math.floor(((time - fromMs) / span) * parts), parts - 1);
    counts[part] = (counts[part] ?? 0) + 1;
  }
  return counts;
}

/** The moment `steps` events before (below 0) or after another, among moments that rise; undefined beyond the last. */
export function neighbourTime(timesMs: readonly number[], fromMs: number, steps: number): number | undefined {
  if (steps > 0) return timesMs.filter((time) => time > fromMs)[steps - 1];
  const before = timesMs.filter((time) => time < fromMs);
  return before[Math.max(0, before.length + steps)];
}
