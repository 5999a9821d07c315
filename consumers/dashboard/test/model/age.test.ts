import { expect, test } from 'vitest';
import { ageText, lagText } from '../../src/model/age.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, '0 s'],
  [999, '0 s'],
  [12 * SECOND, '12 s'],
  [59_999, '59 s'],
  [MINUTE, '1 m 00 s'],
  [3 * MINUTE + 4 * SECOND, '3 m 04 s'],
  [2 * HOUR + 5 * MINUTE, '2 h 05 m'],
  [DAY - 1, '23 h 59 m'],
  [3 * DAY + 4 * HOUR, '3 d 04 h'],
  [72 * DAY, '72 d'],
])('%d ms are %s old', (spanMs, text) => {
  expect(ageText(spanMs)).toBe(text);
});

test('a time that lies ahead, or is none, has no age', () => {
  expect(ageText(-5_000)).toBe('0 s');
  expect(ageText(Number.NaN)).toBe('0 s');
});

test.each([
  [0, '0 ms'],
  [850.4, '850 ms'],
  [2_440, '2.4 s'],
  [12_000, '12 s'],
  [125_000, '2 m 05 s'],
])('a lag of %d ms reads %s', (lagMs, text) => {
  expect(lagText(lagMs)).toBe(text);
});
