import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventCounts, meanOver } from '../src/event-counts.ts';

const means = fc.double({ min: 0.001, max: 2_000, noNaN: true });

test('regular counts are the whole numbers around the mean, and at least one', () => {
  fc.assert(
    fc.property(means, (mean) => {
      const counts = eventCounts(mean, 'regular');
      expect(meanOver(counts, (events) => events)).toBeCloseTo(Math.max(1, mean), 6);
      for (const { events } of counts) expect(Math.abs(events - Math.max(1, mean))).toBeLessThan(1);
    }),
  );
});

test('random counts have the mean of a Poisson count that is not zero, and all shares', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 400, noNaN: true }), (mean) => {
      const counts = eventCounts(mean, 'random');
      expect(counts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 5);
      const expected = mean / -Math.expm1(-mean);
      expect(meanOver(counts, (events) => events) / expected).toBeCloseTo(1, 5);
    }),
  );
});
