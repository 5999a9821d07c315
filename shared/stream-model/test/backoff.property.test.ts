import { fullJitterMs } from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const options = fc.record({
  baseMs: fc.integer({ min: 1, max: 1_000 }),
  capMs: fc.integer({ min: 1, max: 60_000 }),
});

test('a wait lies between nothing and the smaller of the cap and the doubled base, for any number of tries', () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      options,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, limits, draw) => {
        const waitMs = fullJitterMs(attempt, limits, () => draw);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(Math.min(limits.capMs, limits.baseMs * 2 ** attempt));
      },
    ),
  );
});

test('the whole interval is used: a draw of one half gives half of the bound', () => {
  const waits = [0, 1, 2, 10].map((attempt) =>
    fullJitterMs(attempt, { baseMs: 100, capMs: 5_000 }, () => 0.5),
  );
  expect(waits).toEqual([50, 100, 200, 2_500]);
});
