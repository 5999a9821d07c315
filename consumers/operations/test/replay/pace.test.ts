import { steppingClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { createPace } from '../../src/replay/pace.ts';

const signal = new AbortController().signal;

describe('a pace', () => {
  test('holds its rate within five per cent, whatever the steps take', async () => {
    for (const workMs of [0, 5, 60, 95]) {
      const clock = steppingClock(0);
      const pace = createPace(1_000, clock);
      let taken = 0;
      while (taken < 20_000) {
        await pace.take(pace.stepEntries, signal);
        taken += pace.stepEntries;
        clock.advance(workMs);
      }
      const rate = (taken / clock.now()) * 1_000;
      expect(Math.abs(rate - 1_000)).toBeLessThan(50);
    }
  });

  test('begins with its first step: a start that takes long is not made up for', async () => {
    const clock = steppingClock(0);
    const pace = createPace(1_000, clock);
    clock.advance(5_000);
    const start = clock.now();
    for (let taken = 0; taken < 10_000; taken += pace.stepEntries) await pace.take(pace.stepEntries, signal);
    expect(clock.now() - start).toBeGreaterThanOrEqual(10_000 - 1_000 / 4);
  });

  test('makes up for two seconds at most: after a pause there is no burst', async () => {
    const clock = steppingClock(0);
    const pace = createPace(100, clock);
    await pace.take(pace.stepEntries, signal);
    clock.advance(60_000);
    const start = clock.now();
    let taken = 0;
    while (clock.now() - start < 10_000) {
      await pace.take(pace.stepEntries, signal);
      taken += pace.stepEntries;
    }
    expect(taken).toBeLessThanOrEqual(100 * 12 + pace.stepEntries);
  });

  test('without a rate never waits', async () => {
    const clock = steppingClock(0);
    const pace = createPace(undefined, clock);
    for (let step = 0; step < 1_000; step += 1) await pace.take(pace.stepEntries, signal);
    expect(clock.now()).toBe(0);
  });
});
