import { type AsOfTime, asOfTime } from '../src/as-of-time.ts';
import { ARRIVAL_TIME_MAX } from '../src/sort-key.ts';

/** A time that tests ask for: any that a key holds, whatever the clock says. */
export function asOf(timeMs: number): AsOfTime {
  return asOfTime(timeMs, ARRIVAL_TIME_MAX);
}
