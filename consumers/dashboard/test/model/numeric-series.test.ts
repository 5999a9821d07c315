import { expect, test } from 'vitest';
import { numericSeriesOf } from '../../src/model/numeric-series.ts';
import { corrected, counted } from '../simulated-events.ts';

test('an attribute that was a number at least twice is a series; texts and single numbers are none', () => {
  const series = numericSeriesOf([
    counted(0, 1, 1, { data: { speed: 1, name: 'a', once: 1 } }),
    counted(1, 1, 2, { data: { speed: 2, name: 'b' } }),
  ]);
  expect(series.map(({ name, values }) => [name, values])).toEqual([['speed', [1, 2]]]);
});

test('a removal breaks the line', () => {
  const [series] = numericSeriesOf([
    counted(0, 1, 1, { data: { speed: 1 } }),
    counted(1, 1, 2, { data: { speed: null } }),
    counted(2, 1, 3, { data: { speed: 3 } }),
  ]);
  expect(series?.values).toEqual([1, null, 3]);
});

test('late events and corrections are points beside the line, which stays where it was', () => {
  const [series] = numericSeriesOf([
    counted(0, 1, 1, { data: { speed: 10 } }),
    counted(1, 1, 3, { data: { speed: 30 } }),
    counted(2, 1, 2, { data: { speed: 20 }, late: true }),
    corrected(3, 1, 3, { speed: 0 }),
  ]);
  expect(series?.values).toEqual([10, 30, 30, 30]);
  expect(series?.asides).toEqual([null, null, 20, 0]);
});

test('times never fall, also where arrivals step back between shards', () => {
  const [series] = numericSeriesOf([
    counted(5, 1, 1, { data: { speed: 1 } }),
    counted(3, 1, 2, { data: { speed: 2 } }),
  ]);
  expect(series?.times[1]).toBe(series?.times[0]);
});

test('what changes most comes first', () => {
  const series = numericSeriesOf([
    counted(0, 1, 1, { data: { b: 1, a: 1 } }),
    counted(1, 1, 2, { data: { b: 2, a: 2 } }),
    counted(2, 1, 3, { data: { b: 3 } }),
  ]);
  expect(series.map(({ name }) => name)).toEqual(['b', 'a']);
});
