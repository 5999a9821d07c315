import { systemClock } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';

describe('the clock of the system', () => {
  test('tells the time in milliseconds since 1970', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  test('sleeps at least as long as asked', async () => {
    const startedAt = performance.now();
    await systemClock.sleep(20);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19);
  });

  test.each([30 * 86_400_000, Number.POSITIVE_INFINITY])(
    'sleeps %d ms, which is longer than a timer holds',
    async (ms) => {
      const controller = new AbortController();
      const sleeping = systemClock.sleep(ms, controller.signal).then(
        () => 'woke',
        () => 'stopped',
      );
      expect(await Promise.race([sleeping, systemClock.sleep(50).then(() => 'asleep')])).toBe('asleep');
      controller.abort();
      expect(await sleeping).toBe('stopped');
    },
  );

  test('stops sleeping when the signal is aborted', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
