import { expect, test } from 'vitest';
import { BUS, FINISHED, projectorFixture, record, reported, T0, uncounted } from './projector-fixture.ts';

test('each page has the number after its predecessor and the running maximum of arrivals as its key', async () => {
  const { deliver, pages } = projectorFixture();
  await deliver([record(1, reported(1), T0 + 50), record(2, reported(2), T0 + 20)]);
  await deliver([record(3, reported(3), T0 + 10)]);
  await deliver([record(4, reported(4), T0 + 90)]);
  const keys = (await pages()).map(({ arrivalMaxBefore, page }) => [arrivalMaxBefore, page]);
  expect(keys).toEqual([
    [0, 1],
    [T0 + 50, 2],
    [T0 + 50, 3],
  ]);
});

test('a container with a stale head meets the page of another, folds it, and goes on behind it', async () => {
  const { deliver, container, pages, services, summaries } = projectorFixture();
  const other = container();
  await deliver([record(1, reported(1))]);
  await other([record(2, reported(2))]);
  await deliver([record(3, reported(3))]);
  expect((await pages()).map(({ page }) => page)).toEqual([1, 2, 3]);
  expect(summaries.at(-1)).toMatchObject({ conflicts: 1, applied: 1, headHits: 1 });
  expect((await services.latestState.read(BUS))?.page).toBe(3);
});

test('two stale containers that hold the same batch store its events once', async () => {
  const { deliver, container, pages } = projectorFixture();
  const other = container();
  const batch = [record(2, uncounted({ a: 1 })), record(3, uncounted({ a: 2 })), record(4, reported(7))];
  await deliver([record(1, uncounted({ a: 0 }))]);
  await other([record(1, uncounted({ a: 0 }))]);
  const answers = await Promise.all([deliver(batch), other(batch)]);
  expect(answers).toEqual([FINISHED, FINISHED]);
  const events = (await pages()).flatMap((page) => page.events);
  expect(events.map(({ place }) => place.sequenceNumber)).toEqual(['1', '2', '3', '4']);
});

test('a batch of more events than a page holds makes several pages and one state update', async () => {
  const { services } = projectorFixture();
  let updates = 0;
  const latestState = {
    ...services.latestState,
    write: async (...args: Parameters<typeof services.latestState.write>) => {
      updates += 1;
      return await services.latestState.write(...args);
    },
  };
  const limits = {
    eventsMax: 2,
    charactersMax: 100_000,
    receipts: {
      sessionsMax: 2,
      rangesMax: 4,
      correctionsMax: 4,
      marksMax: 4,
      attributeNameBytesMax: 256 * 1_024,
    },
  };
  const { deliver, pages } = projectorFixture({ latestState }, { pageLimits: limits });
  await deliver([1, 2, 3, 4, 5].map((n) => record(n, reported(n))));
  expect((await pages()).map(({ events }) => events.length)).toEqual([2, 2, 1]);
  expect(updates).toBe(1);
});

test('a container far behind reads the rest of the chain instead of meeting it page by page', async () => {
  const { deliver, container, summaries } = projectorFixture();
  const other = container();
  await deliver([record(1, reported(1))]);
  for (let n = 2; n <= 40; n += 1) await other([record(n, reported(n))]);
  await deliver([record(41, reported(41))]);
  expect(summaries.at(-1)).toMatchObject({ applied: 1, unfinished: 0 });
  expect(summaries.at(-1)?.conflicts).toBeLessThanOrEqual(3);
});
