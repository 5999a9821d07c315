import { storedTimeFault } from '@twinstream/device-model';
import { TEST_TIME_MS } from '@twinstream/test-kit';
import { expect, it } from 'vitest';
import { AS_OF_SKEW_MS, asOfTime, asOfTimeFault } from '../src/as-of-time.ts';
import { ARRIVAL_TIME_MAX } from '../src/sort-key.ts';

it.each([-1, Number.NEGATIVE_INFINITY, ARRIVAL_TIME_MAX + 1, 253_402_300_799_000, Number.NaN])(
  'refuses %s, which no key holds, and does not bring it into range',
  (timeMs) => {
    expect(storedTimeFault(timeMs)).toMatch(/^must lie between 1970-01-01T00:00:00.000Z and 2286-/);
    expect(() => asOfTime(timeMs, ARRIVAL_TIME_MAX)).toThrow(
      expect.objectContaining({ code: 'INVALID_TIME', retryable: false }),
    );
  },
);

it('refuses the state of a future moment, beyond what clocks differ', () => {
  expect(asOfTime(TEST_TIME_MS + AS_OF_SKEW_MS, TEST_TIME_MS)).toBe(TEST_TIME_MS + AS_OF_SKEW_MS);
  expect(asOfTimeFault(TEST_TIME_MS + AS_OF_SKEW_MS + 1, TEST_TIME_MS)).toBe(
    'lies in the future: now it is 2026-11-02T08:00:00.000Z',
  );
});

it('takes every time from 1970 until now', () => {
  for (const timeMs of [0, 1, TEST_TIME_MS - 0.5, TEST_TIME_MS])
    expect(asOfTimeFault(timeMs, TEST_TIME_MS)).toBeUndefined();
});
