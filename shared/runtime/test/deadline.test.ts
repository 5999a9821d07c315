import { type Clock, withDeadline } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';

/** A clock whose one sleeper wakes when it is told. */
function heldClock() {
  const sleepsMs: number[] = [];
  const held = { wake: () => {}, isCancelled: false };
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepsMs.push(ms);
        held.wake = resolve;
        signal?.addEventListener('abort', () => {
          held.isCancelled = true;
          reject(signal.reason);
        });
      }),
  };
  return { clock, sleepsMs, held };
}

describe('work with a deadline', () => {
  test('that ends in time returns its result, and takes its timer back', async () => {
    const { clock, sleepsMs, held } = heldClock();
    let seen: AbortSignal | undefined;
    const work = async (signal: AbortSignal) => {
      seen = signal;
      return 'done';
    };
    expect(await withDeadline(clock, 500, work)).toBe('done');
    expect(sleepsMs).toEqual([500]);
    expect(held.isCancelled).toBe(true);
    expect(seen?.aborted).toBe(false);
  });

  test('that fails rejects with its own error, and takes its timer back', async () => {
    const { clock, held } = heldClock();
    const error = new Error('own');
    await expect(withDeadline(clock, 500, () => Promise.reject(error))).rejects.toBe(error);
    expect(held.isCancelled).toBe(true);
  });

  test('is told when its time is over', async () => {
    const { clock, held } = heldClock();
    const work = (signal: AbortSignal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    const result = withDeadline(clock, 500, work);
    held.wake();
    await expect(result).rejects.toMatchObject({ code: 'DEADLINE_NEAR', retryable: true });
  });

  test.each([
    [1, false],
    [0, true],
    [-5, true],
  ])('of %i ms is told from the start: %s', async (ms, isTold) => {
    const { clock, sleepsMs } = heldClock();
    expect(await withDeadline(clock, ms, async (signal) => signal.aborted)).toBe(isTold);
    expect(sleepsMs).toEqual([Math.max(0, ms)]);
  });
});
