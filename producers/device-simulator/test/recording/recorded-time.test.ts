import { describe, expect, test } from 'vitest';
import { isOffset, recordedTimeMs } from '../../src/recording/recorded-time.ts';

const iso = (text: string, offset?: string): string | undefined => {
  const ms = recordedTimeMs(text, offset);
  return ms === undefined ? undefined : new Date(ms).toISOString();
};

describe('a recorded time', () => {
  test.each([
    ['2017-03-21T00:00:31-05:00', '2017-03-21T05:00:31.000Z'],
    ['2017-03-21T00:00:31Z', '2017-03-21T00:00:31.000Z'],
    ['2017-03-21T00:00:31.5+0530', '2017-03-20T18:30:31.500Z'],
    ['2017-03-21 00:00:31+00', '2017-03-21T00:00:31.000Z'],
    ['2017-03-21 00:00:31.123456 +01:00', '2017-03-20T23:00:31.123Z'],
    ['2017-03-21t00:00:31,25z', '2017-03-21T00:00:31.250Z'],
    ['2017-03-21T00:00Z', '2017-03-21T00:00:00.000Z'],
    ['1490072431', '2017-03-21T05:00:31.000Z'],
    ['1490072431.25', '2017-03-21T05:00:31.250Z'],
    ['273014949.340', '1978-08-26T21:29:09.340Z'],
    ['1490072431.0019', '2017-03-21T05:00:31.001Z'],
    ['1490072431000', '2017-03-21T05:00:31.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(iso(text)).toBe(expected);
  });

  test.each([
    '',
    'yesterday',
    '2017-03-21',
    '2017-03-21T00:00:31',
    '2017-02-29T00:00:00Z',
    '2017-13-01T00:00:00Z',
    '2017-03-21T24:00:00Z',
    '2017-03-21T00:00:61Z',
    '21/03/2017 00:00:31Z',
    '12345',
    '-1490072431',
    '14900724310000',
  ])('%j names no moment', (text) => {
    expect(recordedTimeMs(text, undefined)).toBeUndefined();
  });

  test('without an offset names a moment when one is given for it, and its own wins', () => {
    expect(iso('2017-03-21T00:00:31', '-05:00')).toBe('2017-03-21T05:00:31.000Z');
    expect(iso('2017-03-21T00:00:31Z', '-05:00')).toBe('2017-03-21T00:00:31.000Z');
  });
});

test('offsets are what ISO 8601 calls one', () => {
  expect(['Z', '+01:00', '-0500', '+14:00'].every(isOffset)).toBe(true);
  expect(['', '5', 'CET', '-5:00', '+99:00'].some(isOffset)).toBe(false);
});
