import { expect, test } from 'vitest';
import { pointInTimeMs } from '../../src/command/argument-values.ts';

const NOW = Date.parse('2026-11-02T08:00:00Z');

test.each([
  ['2026-11-02T09:00:00+02:00', NOW - 3_600_000],
  ['PT2H', NOW - 7_200_000],
  ['90m', NOW - 5_400_000],
  ['now', NOW],
  ['earliest', 0],
])('reads %s', (text, timeMs) => {
  expect(pointInTimeMs(text, NOW)).toBe(timeMs);
});

test.each(['1969-12-31T23:59:59Z', '2286-11-20T17:46:40Z', '9999-12-31T23:59:59Z', '30000d'])(
  'refuses %s, at which nothing can be stored',
  (text) => {
    expect(() => pointInTimeMs(text, NOW)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TIME',
        message: `"${text}" must lie between 1970-01-01T00:00:00.000Z and 2286-11-20T17:46:39.999Z: nothing can be stored outside`,
      }),
    );
  },
);
