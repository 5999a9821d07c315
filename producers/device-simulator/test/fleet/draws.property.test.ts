import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SEED_MAX, seededDraws } from '../../src/fleet/draws.ts';

const seeds = fc.integer({ min: 0, max: SEED_MAX });

test('the same seed and place give the same draws, whatever was drawn before', () => {
  fc.assert(
    fc.property(seeds, fc.nat(1e6), fc.nat(1e6), fc.nat(50), (seed, subject, step, before) => {
      const fresh = seededDraws(seed, 1);
      fresh.startAt(subject, step);
      const used = seededDraws(seed, 1);
      for (let i = 0; i < before; i += 1) used.next();
      used.startAt(subject, step);
      expect([used.next(), used.next()]).toEqual([fresh.next(), fresh.next()]);
    }),
  );
});

test('draws lie in [0, 1), choices below their count, and what is around zero within its width', () => {
  fc.assert(
    fc.property(seeds, fc.nat(1e6), fc.integer({ min: 1, max: 1000 }), (seed, subject, count) => {
      const draws = seededDraws(seed, 2);
      draws.startAt(subject, 0);
      const draw = draws.next();
      expect(draw).toBeGreaterThanOrEqual(0);
      expect(draw).toBeLessThan(1);
      const choice = draws.below(count);
      expect(Number.isInteger(choice) && choice >= 0 && choice < count).toBe(true);
      expect(Math.abs(draws.around(count))).toBeLessThanOrEqual(count);
    }),
  );
});

test('seeds that differ in any bit, up to 2^53 - 1, and streams of one seed give different draws', () => {
  const firstDraws = (seed: number, stream: number): string => {
    const draws = seededDraws(seed, stream);
    draws.startAt(1, 1);
    return [draws.next(), draws.next(), draws.next()].join();
  };
  const seedsOfOneBit = Array.from({ length: 53 }, (_, bit) => 2 ** bit);
  const all = [...[0, ...seedsOfOneBit, SEED_MAX].map((seed) => firstDraws(seed, 1)), firstDraws(0, 2)];
  expect(new Set(all).size).toBe(all.length);
});

test('draws are spread evenly over neighbours in subject and step', () => {
  const draws = seededDraws(7, 1);
  const bins = new Array<number>(20).fill(0);
  const total = 200_000;
  for (let index = 0; index < total; index += 1) {
    draws.startAt(index % 500, Math.floor(index / 500));
    const bin = draws.below(bins.length);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const expected = total / bins.length;
  const chiSquared = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 19 degrees of freedom: one in a thousand lies above 43.8.
  expect(chiSquared).toBeLessThan(43.8);
});
