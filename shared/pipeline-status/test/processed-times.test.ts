import { memoryShardProgressTable } from '@twinstream/latest-state';
import { type Shard, sequenceNumber, shardId } from '@twinstream/stream-model';
import { TEST_TIME_MS, virtualClock } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { createProcessedTimes } from '../src/processed-times.ts';

const [PARENT, LEFT, RIGHT] = ['000', '001', '002'].map((end) => shardId(`shardId-000000000${end}`)) as [
  Shard['shardId'],
  Shard['shardId'],
  Shard['shardId'],
];
const hashKeyRange = { start: 0n, end: 1n };

async function fixture() {
  const clock = virtualClock();
  const progress = memoryShardProgressTable();
  await progress.advance('s', {
    shardId: LEFT,
    finishedThrough: sequenceNumber('7'),
    arrivalTime: TEST_TIME_MS,
    updatedTime: TEST_TIME_MS,
  });
  const lags = new Map<string, number | Error>([
    [PARENT, 0],
    [LEFT, 30_000],
    [RIGHT, 0],
  ]);
  const asked: string[] = [];
  const failed: (string | undefined)[] = [];
  let listing: Error | undefined;
  const read = createProcessedTimes({
    streamName: 's',
    shards: async () => {
      if (listing !== undefined) throw listing;
      return [
        { shardId: PARENT, isOpen: false, hashKeyRange },
        { shardId: LEFT, isOpen: true, hashKeyRange, parentShardId: PARENT },
        { shardId: RIGHT, isOpen: true, hashKeyRange },
      ];
    },
    stream: {
      lag: async (shard, after) => {
        asked.push(`${shard} ${after}`);
        const lagMs = lags.get(shard) ?? 0;
        if (lagMs instanceof Error) throw lagMs;
        return { lagMs, asOf: clock.now() };
      },
    },
    progress,
    clock,
    onFailure: (shard) => failed.push(shard),
  });
  const fail = (error: Error) => {
    listing = error;
  };
  return { clock, lags, asked, failed, read, fail };
}

test('a shard is processed up to its first waiting record, or up to now', async () => {
  const { read, asked } = await fixture();
  const times = await read();
  expect([times.of([LEFT]), times.of([RIGHT])]).toEqual([TEST_TIME_MS - 30_000, TEST_TIME_MS]);
  expect(asked).toContain(`${LEFT} 7`);
});

test('several shards are processed up to the slowest; none or an unknown one means all', async () => {
  const times = await (await fixture()).read();
  const slowest = TEST_TIME_MS - 30_000;
  expect([times.of([RIGHT, LEFT]), times.of([]), times.of([shardId('shardId-000000000009')])]).toEqual([
    slowest,
    slowest,
    slowest,
  ]);
});

test('a closed shard stands for its successors, where its devices go on', async () => {
  expect((await (await fixture()).read()).of([PARENT])).toBe(TEST_TIME_MS - 30_000);
});

test('those who ask within two seconds share a reading', async () => {
  const { read, asked, clock } = await fixture();
  await Promise.all([read(), read()]);
  expect(asked.length).toBe(3);
  await clock.advance(2_001);
  await read();
  expect(asked.length).toBe(6);
});

test('what cannot be read stands as it was', async () => {
  const { read, clock, lags, failed, fail } = await fixture();
  await read();
  await clock.advance(60_000);
  lags.set(RIGHT, new Error('throttled'));
  expect((await read()).of([RIGHT])).toBe(TEST_TIME_MS);
  await clock.advance(60_000);
  fail(new Error('no answer'));
  expect((await read()).of([RIGHT])).toBe(TEST_TIME_MS);
  expect(failed).toEqual([RIGHT, undefined]);
});

test('nothing is known before the first reading', async () => {
  const { read, fail } = await fixture();
  fail(new Error('no answer'));
  expect((await read()).of([LEFT])).toBeUndefined();
});
