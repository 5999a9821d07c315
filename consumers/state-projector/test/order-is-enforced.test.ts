import { expect, test } from 'vitest';
import {
  BUS,
  FINISHED,
  projectorFixture,
  record,
  reported,
  SHARD,
  uncounted,
  unfinished,
} from './projector-fixture.ts';

test('a record that does not rise is not worked on, and the next delivery begins with it', async () => {
  const { deliver, services, summaries } = projectorFixture();
  const answer = await deliver([
    record(10, uncounted({ a: 1 })),
    record(9, uncounted({ a: 2 })),
    record(11, uncounted({ a: 3 })),
  ]);
  expect(answer).toEqual(unfinished(9));
  expect(summaries.at(-1)?.firstFailure).toBe('ORDER_VIOLATION');
  expect((await services.latestState.read(BUS))?.attributes.get('a')?.value).toBe(1);
});

test('sequence numbers are ordered by length before text', async () => {
  const { deliver, services } = projectorFixture();
  expect(await deliver([record(99, uncounted({ a: 99 })), record(100, uncounted({ a: 100 }))])).toEqual(
    FINISHED,
  );
  const state = await services.latestState.read(BUS);
  expect(state?.attributes.get('a')?.value).toBe(100);
  expect([...(state?.marks.values() ?? [])]).toMatchObject([{ sequenceNumber: '100' }]);
});

test('shard progress never moves back', async () => {
  const { deliver, services } = projectorFixture();
  await deliver([record(1, reported(1)), record(100, reported(2))]);
  await deliver([record(1, reported(1))]);
  expect(await services.shardProgress.read('device-events')).toMatchObject([
    { shardId: SHARD, finishedThrough: '100' },
  ]);
});

test('above a parallelization factor of 1 no progress is claimed', async () => {
  const { deliver, services } = projectorFixture({}, { parallelizationFactor: 2 });
  await deliver([record(1, reported(1))]);
  expect(await services.shardProgress.read('device-events')).toEqual([]);
});
