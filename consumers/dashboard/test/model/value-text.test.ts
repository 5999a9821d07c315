import { expect, test } from 'vitest';
import { countText, rateText, valueText } from '../../src/model/value-text.ts';

test('counts have their thousands apart', () => {
  expect(countText(45_386)).toBe('45,386');
});

test('rates have a decimal where it says something', () => {
  expect(rateText(4.26)).toBe('4.3');
  expect(rateText(99.96)).toBe('100');
  expect(rateText(12_345.6)).toBe('12,346');
});

test.each([
  ['text', 'text'],
  [17.4, '17.4'],
  [1 / 3, '0.3333333'],
  [123_456_789, '123456789'],
  [true, 'true'],
  [null, 'null'],
  [[1, 'a'], '[1, a]'],
  [{ latitude: 30.2, longitude: -97.5 }, 'latitude 30.2, longitude -97.5'],
  [{ a: { b: 1 } }, '{"a":{"b":1}}'],
])('%j reads %s', (value, text) => {
  expect(valueText(value)).toBe(text);
});
