import type { Clock } from '@twinstream/runtime';

/** When tests begin: 2026-11-02T08:00:00Z. */
export const TEST_TIME = 1_793_606_400_000;

/** Time that stands still until a test moves it. Nothing here sleeps. */
export function manualClock(): Clock & { advance(ms: number): void } {
  let now = TEST_TIME;
  return {
    now: () => now,
    sleep: () => Promise.reject(new TypeError('nothing sleeps here')),
    advance: (ms) => {
      now += ms;
    },
  };
}
