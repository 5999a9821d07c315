import { expect, test } from 'vitest';
import { bytesText, counted, dollarsText, durationText, figureText, whole } from '../src/figures.ts';

test.each([
  [null, '–'],
  [0, '0'],
  [0.081_23, '0.0812'],
  [12.345, '12.3'],
  [99.96, '100'],
  [-45_396.4, '-45,396'],
])('a measured number has three digits, or is whole: %d', (value, text) => {
  expect(figureText(value)).toBe(text);
});

test.each([
  [350.4, '350 ms'],
  [12_340, '12.3 s'],
  [250_000, '4 m 10 s'],
  [7_500_000, '2 h 5 m'],
  [273_600_000, '3 d 4 h'],
])('%d ms is shown in two units', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('one thing is told in the singular, and any other number of them in the plural', () => {
  expect([0, 1, 2, 45_396].map((count) => counted(count, 'device'))).toEqual([
    '0 devices',
    '1 device',
    '2 devices',
    '45,396 devices',
  ]);
  expect([1, 2].map((count) => counted(count, 'entry', 'entries'))).toEqual(['1 entry', '2 entries']);
});

test('counts, bytes and dollars are rounded for people', () => {
  expect([
    whole(45_395.6),
    bytesText(1_023),
    bytesText(1_536),
    dollarsText(0.004),
    dollarsText(12.345),
  ]).toEqual(['45,396', '1023 B', '1.5 KiB', '< $0.01', '$12.35']);
});
