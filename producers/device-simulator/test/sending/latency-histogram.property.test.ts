import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latencyHistogram } from '../../src/sending/latency-histogram.ts';

const latencies = fc.array(fc.double({ min: 0, max: 600_000, noNaN: true }), {
  minLength: 1,
  maxLength: 300,
});

test('percentiles are those of the sorted latencies, at most 0.1 % and a microsecond too high, never too low', () => {
  fc.assert(
    fc.property(latencies, (values) => {
      const histogram = latencyHistogram();
      for (const value of values) histogram.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
      const summary = histogram.summary();
      for (const [figure, share] of [
        [summary.p50, 0.5],
        [summary.p95, 0.95],
        [summary.p99, 0.99],
      ] as const) {
        expect(figure).toBeGreaterThanOrEqual(exact(share) - 0.0005);
        expect(figure).toBeLessThanOrEqual(exact(share) * 1.001 + 0.0015);
      }
      expect(summary.max).toBeCloseTo(Math.max(...values), 3);
    }),
  );
});

test('without a latency everything is zero', () => {
  expect(latencyHistogram().summary()).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
});

test('latencies beyond 71 minutes count with their exact maximum', () => {
  const histogram = latencyHistogram();
  histogram.record(86_400_000);
  expect(histogram.summary().max).toBe(86_400_000);
});
