import type { Draws } from './draws.ts';

const SKEW_MS_MIN = 1_000;
const SKEW_MS_MAX = 86_400_000;

/**
 * How far the clock of each device is off, in milliseconds, whenever it is asked: 0 for most, and for `share` (0 to 1)
 * of the devices between a second and a day, either way, a factor of ten as likely as the next.
 */
export function clockSkewOf(share: number, draws: Draws): (device: number) => number {
  if (share === 0) return () => 0;
  return (device) => {
    draws.startAt(device, 0);
    if (!draws.chance(share)) return 0;
    const sign = draws.chance(0.5) ? 1 : -1;
    return sign * Math.round(SKEW_MS_MIN * (SKEW_MS_MAX / SKEW_MS_MIN) ** draws.next());
  };
}
