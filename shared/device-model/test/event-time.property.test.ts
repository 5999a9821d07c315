import { eventTimeMs, isEventTime } from '@twinstream/device-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const two = (max: number) => fc.integer({ min: 0, max }).map((number) => String(number).padStart(2, '0'));

test('what passes as a time has milliseconds, and what JavaScript rolls over does not pass', () => {
  const time = fc
    .tuple(
      fc.integer({ min: 1, max: 9_999 }),
      two(13),
      two(32),
      two(24),
      two(60),
      two(60),
      fc.constantFrom('Z', '+05:30', '-0500'),
    )
    .map(([year, month, day, hour, minute, second, offset]) => ({
      local: `${String(year).padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}`,
      offset,
    }));
  fc.assert(
    fc.property(time, ({ local, offset }) => {
      const parsed = new Date(`${local}Z`);
      const exists = !Number.isNaN(parsed.getTime()) && parsed.toISOString().slice(0, 19) === local;
      expect(isEventTime(local + offset)).toBe(exists);
      if (exists) expect(Number.isNaN(eventTimeMs(local + offset))).toBe(false);
    }),
    { numRuns: 3_000 },
  );
});
