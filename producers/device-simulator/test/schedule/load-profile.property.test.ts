import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueTimes, type LoadProfile } from '../../src/schedule/load-profile.ts';

const take = (profile: LoadProfile, count: number): readonly number[] =>
  Array.from({ length: count }, dueTimes(profile));

const countBefore = (profile: LoadProfile, ms: number): number => {
  const next = dueTimes(profile);
  let count = 0;
  while (next() < ms) count += 1;
  return count;
};

describe('events of a load', () => {
  test('are due evenly at a constant rate, the first immediately', () => {
    expect(take({ ratePerSecond: 4 }, 5)).toEqual([0, 250, 500, 750, 1_000]);
  });

  test('are as many as rate times duration, after any time', () => {
    expect(countBefore({ ratePerSecond: 20_000 }, 60_000)).toBe(1_200_000);
    expect(countBefore({ ratePerSecond: 3 }, 1_000_000)).toBe(3_000);
  });

  test('are half as many during a ramp, and come closer together', () => {
    const profile = { ratePerSecond: 1_000, rampMs: 2_000 };
    expect(countBefore(profile, 2_000)).toBe(1_000);
    expect(countBefore(profile, 3_000)).toBe(2_000);
    const gaps = take(profile, 500).map((due, index, all) => due - (all[index - 1] ?? 0));
    expect(gaps.slice(1)).toEqual(gaps.slice(1).toSorted((a, b) => b - a));
  });

  test('are so many times as many during a burst', () => {
    const profile = { ratePerSecond: 100, burst: { factor: 5, lengthMs: 200, everyMs: 1_000 } };
    expect(countBefore(profile, 800)).toBe(80);
    expect(countBefore(profile, 1_000)).toBe(180);
    expect(countBefore(profile, 10_000)).toBe(1_800);
  });

  test('may be fewer in a burst: a factor below one is a lull', () => {
    expect(
      countBefore({ ratePerSecond: 100, burst: { factor: 0.5, lengthMs: 500, everyMs: 1_000 } }, 4_000),
    ).toBe(300);
  });

  test('never come earlier than the one before, and follow the area of the rate', () => {
    const profiles = fc.record({
      // Slower ones take so long that the steps of the integral below miss the edges of bursts.
      ratePerSecond: fc.integer({ min: 200, max: 5_000 }),
      rampMs: fc.integer({ min: 0, max: 3_000 }),
      burst: fc.record({
        factor: fc.integer({ min: 1, max: 10 }),
        lengthMs: fc.integer({ min: 1, max: 400 }),
        everyMs: fc.integer({ min: 401, max: 2_000 }),
      }),
    });
    fc.assert(
      fc.property(profiles, (profile) => {
        const due = take(profile, 2_000);
        expect(due).toEqual(due.toSorted((a, b) => a - b));
        for (const index of [1, 10, 500, 1_999]) {
          expect(Math.abs(areaUntil(profile, due[index] ?? 0) - index)).toBeLessThan(0.01 * index + 0.5);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** The integral of a profile's rate, by small steps: another way to the same number. */
function areaUntil({ ratePerSecond, rampMs = 0, burst }: LoadProfile, endMs: number): number {
  const steps = 20_000;
  const widthMs = endMs / steps;
  let area = 0;
  for (let step = 0; step < steps; step += 1) {
    const ms = (step + 0.5) * widthMs;
    const ramp = ms >= rampMs ? 1 : ms / rampMs;
    const isBurst = burst !== undefined && ms % burst.everyMs >= burst.everyMs - burst.lengthMs;
    area += (ratePerSecond / 1_000) * ramp * (isBurst ? burst.factor : 1) * widthMs;
  }
  return area;
}
