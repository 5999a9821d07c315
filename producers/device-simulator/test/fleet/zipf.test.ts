import { describe, expect, test } from 'vitest';
import { seededDraws } from '../../src/fleet/draws.ts';
import { zipfRanks } from '../../src/fleet/zipf.ts';

const DRAWS = 200_000;

describe.each([0.5, 1, 1.2, 2.5])('ranks with exponent %d', (exponent) => {
  test('come as often as 1 / rank^exponent says', () => {
    const count = 50;
    const random = seededDraws(11, 1);
    random.startAt(0, 0);
    const rank = zipfRanks(count, exponent, random.next);
    const seen = new Array<number>(count + 1).fill(0);
    for (let i = 0; i < DRAWS; i += 1) {
      const drawn = rank();
      seen[drawn] = (seen[drawn] ?? 0) + 1;
    }
    const weights = Array.from({ length: count }, (_, index) => (index + 1) ** -exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const chiSquared = weights.reduce((sum, weight, index) => {
      const expected = (DRAWS * weight) / total;
      return sum + ((seen[index + 1] ?? 0) - expected) ** 2 / expected;
    }, 0);
    expect(seen[0]).toBe(0);
    // 49 degrees of freedom: one in a thousand lies above 85.4.
    expect(chiSquared).toBeLessThan(85.4);
  });
});

test('a fleet of one has one rank', () => {
  const rank = zipfRanks(1, 1, () => 0.999);
  expect([rank(), rank()]).toEqual([1, 1]);
});

test('ranks stay within a fleet of ten millions', () => {
  const random = seededDraws(3, 1);
  const rank = zipfRanks(10_000_000, 1.1, random.next);
  for (let i = 0; i < 10_000; i += 1) {
    const drawn = rank();
    expect(drawn).toBeGreaterThanOrEqual(1);
    expect(drawn).toBeLessThanOrEqual(10_000_000);
  }
});

test('an exponent of zero or less is refused', () => {
  expect(() => zipfRanks(10, 0, Math.random)).toThrow(RangeError);
});
