import { type Clock, systemClock } from '@twinstream/runtime';

/** Wall time as it was when the process began, and from there on a clock that is never set: latencies need one. */
export const preciseClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: systemClock.sleep,
};
