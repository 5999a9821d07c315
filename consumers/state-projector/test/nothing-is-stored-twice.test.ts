import { expect, test } from 'vitest';
import {
  BUS,
  FINISHED,
  projectorFixture,
  record,
  reported,
  SHARD,
  T0,
  uncounted,
} from './projector-fixture.ts';

const count = async (pages: () => Promise<readonly { events: readonly unknown[] }[]>) =>
  (await pages()).reduce((sum, { events }) => sum + events.length, 0);

test('a batch delivered again stores nothing and counts nothing', async () => {
  const { deliver, container, pages, summaries, services } = projectorFixture();
  const batch = [record(1, reported(1)), record(2, uncounted({ a: 1 })), record(3, reported(2))];
  await deliver(batch);
  const before = await services.latestState.read(BUS);
  for (const again of [deliver, container()]) {
    expect(await again(batch)).toEqual(FINISHED);
    expect(summaries.at(-1)).toMatchObject({ redelivered: 3, applied: 0, duplicates: 0, pages: 0 });
  }
  expect(await count(pages)).toBe(3);
  expect(await services.latestState.read(BUS)).toEqual(before);
});

test('any suffix and any prefix of what was delivered, again, stores nothing twice', async () => {
  const { deliver, container, pages } = projectorFixture();
  const all = Array.from({ length: 9 }, (_, n) =>
    record(n + 1, n % 3 === 0 ? uncounted({ n }) : reported(n)),
  );
  await deliver(all.slice(0, 4));
  await container()(all.slice(2, 6));
  await deliver(all.slice(0, 5));
  await container()(all.slice(1));
  expect(await count(pages)).toBe(9);
});

test('a counted event sent twice is stored once and counted as a duplicate, however long ago it came', async () => {
  const { deliver, pages, services } = projectorFixture();
  for (let n = 1; n <= 300; n += 1) await deliver([record(n, reported(n))]);
  await deliver([record(301, reported(1)), record(302, reported(150))]);
  expect(await count(pages)).toBe(300);
  expect((await services.latestState.read(BUS))?.counts).toMatchObject({ events: 300, duplicates: 2 });
});

test('an uncounted event below the mark that was never stored is stored: nothing is dropped on a guess', async () => {
  const { deliver, pages, summaries } = projectorFixture();
  await deliver([record(1, uncounted({ a: 1 })), record(3, uncounted({ a: 3 }))]);
  await deliver([record(2, uncounted({ a: 2, b: 2 }))]);
  expect(summaries.at(-1)).toMatchObject({ late: 1, historyReads: 1 });
  expect(await count(pages)).toBe(3);
});

test('equal sequence numbers of two shards are two events', async () => {
  const { deliver, pages } = projectorFixture();
  await deliver([record(1, uncounted({ a: 1 }))], SHARD);
  await deliver([record(1, uncounted({ a: 2 }))], 'shardId-000000000001');
  expect(await count(pages)).toBe(2);
});

test('where the mark of a shard was dropped, arrivals that ran backward do not hide what is stored', async () => {
  const receipts = {
    sessionsMax: 1,
    rangesMax: 1,
    correctionsMax: 1,
    marksMax: 1,
    attributeNameBytesMax: 256 * 1_024,
  };
  const pageLimits = { eventsMax: 10, charactersMax: 100_000, receipts };
  const { deliver, pages } = projectorFixture({}, { pageLimits });
  const parent = [record(1, uncounted({ a: 1 }), T0 + 90), record(2, uncounted({ a: 2 }), T0 + 10)];
  await deliver(parent);
  await deliver([record(1, uncounted({ a: 3 }), T0 + 95)], 'shardId-000000000001');
  await deliver(parent);
  expect(await count(pages)).toBe(3);
});
