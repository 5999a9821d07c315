import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
const WITHIN_MS = 30_000;

/** Waits until a condition holds. Throws an Error that names `what` when it does not within `withinMs`, 30 seconds by default. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  withinMs = WITHIN_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(POLL_MS);
  }
}
