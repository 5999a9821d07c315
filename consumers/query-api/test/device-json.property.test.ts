import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTime } from '../src/device-json.ts';

test('a time is written as a Date writes it', () => {
  const time = fc.oneof(
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.integer({ min: 1_790_000_000_000, max: 1_790_200_000_000 }),
    fc.double({ min: -1e13, max: 1e13, noNaN: true }),
    fc.constantFrom(-0, 86_399_999, 86_400_000, -1),
  );
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 5 }), (times) => {
      expect(times.map(isoTime)).toEqual(times.map((ms) => new Date(ms).toISOString()));
    }),
  );
  for (const none of [Number.NaN, 8.64e15 + 1, Number.POSITIVE_INFINITY]) {
    expect(() => isoTime(none)).toThrow(RangeError);
  }
});
