import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { duration, durationOption, numberWithin, wholeNumber } from '../src/arguments.ts';

describe('a whole number', () => {
  const read = wholeNumber(1, 1_000_000);

  test.each([
    ['1', 1],
    ['1000000', 1_000_000],
    ['1_000', 1_000],
    ['1,000,000', 1_000_000],
  ])('is read from %j', (text, value) => {
    expect(read(text)).toBe(value);
  });

  test.each(['', '0', '1000001', '-1', '1.5', '1e3', '0x10', ' 1', '1_00'])('is not read from %j', (text) => {
    expect(() => read(text)).toThrow(
      new InvalidArgumentError('It must be a whole number from 1 to 1000000.'),
    );
  });

  test('is refused where a double holds it inexactly', () => {
    const any = wholeNumber(0, Number.MAX_SAFE_INTEGER);
    expect(any('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => any('9007199254740993')).toThrow(InvalidArgumentError);
  });
});

test('a number within bounds is read, and no other', () => {
  const read = numberWithin(0.1, 1);
  expect(read('0.6')).toBe(0.6);
  for (const text of ['', ' ', 'x', '0', '1.1']) expect(() => read(text)).toThrow('from 0.1 to 1');
});

describe('a duration', () => {
  test('is read in every form, within its bounds', () => {
    const read = duration(1_000, 86_400_000);
    expect([read('1s'), read('PT2H'), read('1d')]).toEqual([1_000, 7_200_000, 86_400_000]);
    expect(() => read('999ms')).toThrow('It must be a duration from 1s to 24h');
    expect(() => read('soon')).toThrow('"soon" is not a duration');
  });

  test.each([
    [200, '200ms'],
    [0, '0s'],
    [30_000, '30s'],
    [1_800_000, '30m'],
    [1_500, '1500ms'],
    [7_200_000, '2h'],
  ])('has a default of %d ms, which help shows as it would be written', (defaultMs, shown) => {
    const option = durationOption('--window', 'window', { minMs: 0, maxMs: 86_400_000, defaultMs });
    expect([option.defaultValue, option.defaultValueDescription]).toEqual([defaultMs, shown]);
    expect(option.parseArg?.(shown, undefined)).toBe(defaultMs);
  });
});
