import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededDraws } from '../../src/fleet/draws.ts';
import { turnOrder } from '../../src/fleet/turn-order.ts';

test('an even order lets every device speak once a round, in the same order every round', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_000 }), fc.nat(), (count, seed) => {
      const turn = turnOrder(count, { kind: 'even' }, seededDraws(seed, 1));
      const first = Array.from({ length: count }, turn);
      const second = Array.from({ length: count }, turn);
      expect(new Set(first).size).toBe(count);
      expect(Math.min(...first)).toBe(0);
      expect(Math.max(...first)).toBe(count - 1);
      expect(second).toEqual(first);
    }),
  );
});

test('a skewed order stays within the fleet and prefers one device', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 1_000 }), fc.nat(), (count, seed) => {
      const turn = turnOrder(count, { kind: 'zipf', exponent: 2 }, seededDraws(seed, 1));
      const turns = Array.from({ length: 2_000 }, turn);
      expect(turns.every((device) => Number.isInteger(device) && device >= 0 && device < count)).toBe(true);
      const counts = Map.groupBy(turns, (device) => device);
      const most = Math.max(...[...counts.values()].map((same) => same.length));
      // The first rank alone has weight 1 of at most π²/6.
      expect(most).toBeGreaterThan(2_000 * 0.5);
    }),
    { numRuns: 30 },
  );
});
