import type { EventJson } from '@twinstream/api-contract';
import { arrivalMs, isCorrection } from './event.ts';

/** One numeric attribute over time, in the form that plots take: three columns of equal length. */
export interface NumericSeries {
  readonly name: string;
  /** Arrivals, rising; milliseconds since 1970. */
  readonly times: readonly number[];
  /** What the device held from then on; null where the attribute was removed. */
  readonly values: readonly (number | null)[];
  /** Values that a late event or a correction brought, which are no part of the line; null elsewhere. */
  readonly asides: readonly (number | null)[];
}

interface Columns {
  times: number[];
  values: (number | null)[];
  asides: (number | null)[];
  numbers: number;
}

/** Series of every attribute that was a number at least twice, from events in chain order, oldest first; most points first. */
export function numericSeriesOf(events: readonly EventJson[]): readonly NumericSeries[] {
  const byName = new Map<string, Columns>();
  let time = 0;
  for (const event of events) {
    time = Math.max(time, arrivalMs(event));
    const isAside = event.late === true || isCorrection(event);
    for (const [name, value] of Object.entries(event.data ?? {})) {
      if (typeof value !== 'number' && value !== null) continue;
      let columns = byName.get(name);
      if (columns === undefined) {
        if (value === null) continue;
        columns = { times: [], values: [], asides: [], numbers: 0 };
        byName.set(name, columns);
      }
      if (value !== null) columns.numbers += 1;
      columns.times.push(time);
      columns.asides.push(isAside ? value : null);
      // An aside leaves the line where it was.
      columns.values.push(isAside ? (columns.values.at(-1) ?? null) : value);
    }
  }
  return [...byName]
    .filter(([, { numbers }]) => numbers > 1)
    .sort(([a, { numbers: countA }], [b, { numbers: countB }]) => countB - countA || (a < b ? -1 : 1))
    .map(([name, { times, values, asides }]) => ({ name, times, values, asides }));
}
