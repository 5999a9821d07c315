import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latencyDistribution } from '../src/latency-distribution.ts';

test('percentiles are those of the sorted latencies, never lower and at most 0.8 % higher', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.02, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
      (latencies) => {
        const distribution = latencyDistribution();
        for (const latency of latencies) distribution.record(latency);
        const sorted = latencies.toSorted((a, b) => a - b);
        const found = distribution.percentiles();
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99],
        ] as const) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
          expect(found?.[name]).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
          expect(found?.[name]).toBeLessThanOrEqual(exact * 1.008);
        }
        expect(found?.max).toBe(sorted.at(-1));
      },
    ),
  );
});

test('a weight counts as so many equal latencies', () => {
  const weighted = latencyDistribution();
  weighted.record(10, 98);
  weighted.record(1_000, 2);
  expect(weighted.percentiles()).toMatchObject({
    p50: expect.closeTo(10, 0),
    p99: expect.closeTo(1_000, -1),
  });
});

test('nothing recorded has no percentiles', () => {
  expect(latencyDistribution().percentiles()).toBeUndefined();
});
