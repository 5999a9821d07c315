import { expect, test } from 'vitest';
import { catchUpText, progressOf } from '../../src/model/shard-progress.ts';

const shard = (
  recordsPerSecond: number,
  processedPerSecond: number | null,
  backlogRecords: number | null,
) => ({
  recordsPerSecond,
  processedPerSecond,
  backlogRecords,
});

test('the pipeline catches up when its slowest shard does', () => {
  expect(progressOf([shard(10, 30, 200), shard(5, 10, 100), shard(5, 5, 0)])).toEqual({
    arriving: 20,
    processed: 45,
    backlog: 300,
    catchUpMs: 20_000,
  });
});

test('a shard that is no faster than what arrives never catches up', () => {
  expect(progressOf([shard(10, 30, 200), shard(5, 5, 1)]).catchUpMs).toBeUndefined();
});

test('a figure that one shard does not tell is not told of all', () => {
  expect(progressOf([shard(10, 30, 200), shard(5, null, null)])).toEqual({
    arriving: 15,
    processed: undefined,
    backlog: undefined,
    catchUpMs: undefined,
  });
});

test('a backlog is put into words', () => {
  expect([catchUpText(0, 0), catchUpText(5, undefined), catchUpText(5, 90_000)]).toEqual([
    'no record waits',
    'records wait; it does not shrink',
    'records wait; caught up in 1 m 30 s',
  ]);
});
