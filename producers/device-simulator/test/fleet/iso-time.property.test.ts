import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTimes } from '../../src/fleet/iso-time.ts';

test('times are written as Date writes them, in any order', () => {
  const moments = fc.array(fc.integer({ min: -1e12, max: 8e12 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(moments, fc.nat(3_000), (first, step) => {
      const iso = isoTimes();
      for (const ms of first.flatMap((moment) => [moment, moment + step])) {
        expect(iso(ms)).toBe(new Date(ms).toISOString());
      }
    }),
  );
});
