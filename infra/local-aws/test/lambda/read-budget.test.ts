import { shardId } from '@twinstream/stream-model';
import { expect, it } from 'vitest';
import { readBudget } from '../../src/lambda/read-budget.ts';

const one = shardId('shardId-000000000001');
const two = shardId('shardId-000000000002');

it('spaces the calls of all readers of a shard evenly', () => {
  const budget = readBudget(4);
  expect([1, 2, 3].map(() => budget.reserve('s', one, 1_000))).toEqual([0, 250, 500]);
  expect(budget.reserve('s', one, 1_600)).toBe(150);
  expect(budget.reserve('s', one, 9_000)).toBe(0);
});

it('keeps shards and streams apart', () => {
  const budget = readBudget(4);
  expect(budget.reserve('s', one, 0)).toBe(0);
  expect(budget.reserve('s', two, 0)).toBe(0);
  expect(budget.reserve('t', one, 0)).toBe(0);
});
