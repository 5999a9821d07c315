import { parseDurationMs } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['0s', 0],
    ['60s', 60_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['PT2H', 7_200_000],
    ['PT0.5S', 500],
    ['PT1H30M', 5_400_000],
    ['P1D', 86_400_000],
    ['P1DT30M', 88_200_000],
    ['P2DT3H4M5.006S', 183_845_006],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each([
    '',
    '5',
    'ms',
    '-5s',
    '5 s',
    '5S',
    '1e3s',
    '.5s',
    '5.s',
    '5w',
    'P',
    'PT',
    'P1DT',
    'P1Y',
    'P1W',
    'PT1M1H',
    'pt2h',
    '2h30m',
    '∞',
  ])('%j is none, and the error says how to write one', (text) => {
    expect(() => parseDurationMs(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_DURATION',
        retryable: false,
        message: expect.stringMatching(
          /is not a duration: write 500ms, 60s, 5m, 2h, 7d or ISO 8601 such as PT2H$/,
        ),
      }),
    );
  });

  test('is whole milliseconds, whatever its fraction', () => {
    for (const text of ['0.1s', '0.29s', '1.001s', 'PT4.35S', '16.1m', 'PT0.0004S']) {
      expect(Number.isInteger(parseDurationMs(text))).toBe(true);
    }
    expect(parseDurationMs('PT4.35S')).toBe(4_350);
  });
});
