import { signal } from '@preact/signals';

const TICK_MS = 1_000;
/** The Date header has whole seconds: a smaller difference to it is no difference. */
const SKEW_MS_MIN = 1_500;

let aheadMs = 0;

/** The time by the server's clock, whose arrival times the ages are counted from; milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + aheadMs;
}

/** Ticks once a second while the page is visible. Whatever shows an age reads it. */
export const now = signal(serverNow());

/** Sets this page's clock right where the machine's is wrong: ages must not depend on the viewer's clock. */
export function noteServerTime(serverTime: number | undefined): void {
  if (serverTime === undefined) return;
  const skewMs = serverTime + 500 - Date.now();
  aheadMs = Math.abs(skewMs) < SKEW_MS_MIN ? 0 : skewMs;
}

/** Starts ticking, for as long as the page lives. */
export function startClock(): void {
  const tick = (): void => {
    if (!document.hidden) now.value = serverNow();
    setTimeout(tick, TICK_MS - (Date.now() % TICK_MS));
  };
  tick();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) now.value = serverNow();
  });
}
