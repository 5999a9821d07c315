import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellValue } from '../../src/recording/cell-value.ts';

describe('a cell', () => {
  test.each([
    ['', null],
    ['   ', null],
    ['0', 0],
    ['17', 17],
    ['-3', -3],
    ['0.0', 0],
    ['-0.0', 0],
    ['12.10', 12.1],
    ['30.220976', 30.220976],
    ['-97.76523', -97.76523],
    [' 4.5 ', 4.5],
    ['1.5e3', 1_500],
    ['1e-05', 0.00001],
    ['1e+16', 1e16],
    ['1.0E10', 1e10],
    ['0.10000000000000001', 0.1],
    ['9007199254740991', 9_007_199_254_740_991],
    ['1723912', 1_723_912],
    ['true', true],
    ['True', true],
    ['FALSE', false],
  ])('%j is taken for %j', (cell, value) => {
    const taken = cellValue(cell);
    expect(taken).toBe(value);
    expect(JSON.stringify(taken)).toBe(JSON.stringify(value));
  });

  test.each([
    '007',
    '00',
    '+49',
    '1e5',
    '12E3',
    '.5',
    '5.',
    '0x1F',
    '1_000',
    '1,5',
    '9007199254740993',
    '12345678901234567890',
    '9007199254740993.0',
    '0.1234567890123456789',
    '1e+999',
    '1e-999',
    '1.5e-200',
    'NaN',
    'Infinity',
    'tRUE',
    'yes',
    '1-Metric/South Congress-SB',
    '  padded text ',
    'null',
    'constructor',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__proto__',
  ])('%j stays text, as it stands', (cell) => {
    expect(cellValue(cell)).toBe(cell);
  });

  test('with any number that JavaScript or Python writes is that number', () => {
    const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => {
      const magnitude = Math.abs(value);
      return value === 0 || (magnitude > 1e-130 && magnitude < 9e125);
    });
    fc.assert(
      fc.property(numbers, (value) => {
        const text = value === 0 ? '0.0' : String(value);
        const isUnsafe = Number.isInteger(value) && !Number.isSafeInteger(value) && !/[e.]/.test(text);
        expect(cellValue(text)).toBe(isUnsafe ? text : value + 0);
        if (!isUnsafe) expect(cellValue(value.toPrecision(17))).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  test('never becomes a number that says something else than its text', () => {
    const digits = fc.stringMatching(/^-?\d{1,25}(\.\d{1,25})?([eE][+-]?\d{1,3})?$/);
    fc.assert(
      fc.property(digits, (text) => {
        const value = cellValue(text);
        if (typeof value !== 'number') return;
        const precision = Math.max(1, significantDigits(text));
        expect([exactly(String(value)), exactly(value.toPrecision(precision))]).toContain(exactly(text));
      }),
      { numRuns: 5_000 },
    );
  });
});

function significantDigits(text: string): number {
  return text
    .replace(/[eE].*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '').length;
}

/** A decimal as digits and exponent, without a double in between. */
function exactly(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const scale = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${mantissa.startsWith('-') ? '-' : ''}${significant}e${scale}`;
}
