import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareNumbers } from '../src/index.ts';

/** Digits and a power of ten: close ones, whose doubles are often equal. */
const decimal = fc.record({
  digits: fc.bigInt({ min: 9_007_199_254_740_980n, max: 9_007_199_254_741_010n }),
  more: fc.bigInt({ min: 0n, max: 20n }),
  power: fc.integer({ min: -3, max: 3 }),
  isNegative: fc.boolean(),
});

test('compares decimals as exact integers do', () => {
  fc.assert(
    fc.property(decimal, decimal, (a, b) => {
      const [exactA, exactB] = [exactOf(a), exactOf(b)];
      const expected = exactA < exactB ? -1 : exactA > exactB ? 1 : 0;
      for (const one of wordsOf(a)) {
        for (const other of wordsOf(b)) expect(Math.sign(compareNumbers(one, other))).toBe(expected);
      }
    }),
  );
});

test.each([
  ['1e-400', 0, 1],
  ['-1e-400', 0, -1],
  ['0.000', -0, 0],
  ['1e-999999999', '1e-999999998', -1],
  [5, '5.000000000000000000000', 0],
  [0.1, '0.1000000000000000055', -1],
])('compares %s with %s', (a, b, expected) => {
  expect([compareNumbers(a, b), compareNumbers(b, a)].map((difference) => Math.sign(difference) + 0)).toEqual(
    [expected, 0 - expected],
  );
});

type Parts = Readonly<{ digits: bigint; more: bigint; power: number; isNegative: boolean }>;

/** As a multiple of 10^-6. */
function exactOf({ digits, more, power, isNegative }: Parts): bigint {
  return (isNegative ? -1n : 1n) * (digits * 100n + more) * 10n ** BigInt(power + 3);
}

/** The same number in two spellings. */
function wordsOf({ digits, more, power, isNegative }: Parts): readonly string[] {
  const sign = isNegative ? '-' : '';
  const fraction = String(more).padStart(2, '0');
  return [`${sign}${digits}.${fraction}e${power}`, `${sign}0${digits}${fraction}0e${power - 3}`];
}
