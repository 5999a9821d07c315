import { expect, test } from 'vitest';
import { BUS, projectorFixture, record, reported } from './projector-fixture.ts';

test('a late event fills its gap and changes only what it is newest for', async () => {
  const { deliver, services, pages } = projectorFixture();
  await deliver([record(1, reported(1, { a: 1 })), record(2, reported(3, { a: 3 }))]);
  expect((await services.latestState.read(BUS))?.counts.gaps).toBe(1);
  await deliver([record(3, reported(2, { a: 2, b: 2 }))]);
  const state = await services.latestState.read(BUS);
  expect(state?.counts).toEqual({ events: 3, duplicates: 0, late: 1, gaps: 0 });
  expect(state?.attributes.get('a')?.value).toBe(3);
  expect(state?.attributes.get('b')?.value).toBe(2);
  expect((await pages()).at(-1)?.events[0]?.late).toEqual({ gapChange: -1 });
});

test('a jump is a gap of known size', async () => {
  const { deliver, services } = projectorFixture();
  await deliver([record(1, reported(10)), record(2, reported(20))]);
  expect((await services.latestState.read(BUS))?.counts.gaps).toBe(9);
});

test('a batch of duplicates alone writes a page without events, so that counts are a fold of pages', async () => {
  const { deliver, pages } = projectorFixture();
  await deliver([record(1, reported(1)), record(2, reported(2))]);
  await deliver([record(3, reported(1)), record(4, reported(2))]);
  expect((await pages()).at(-1)).toMatchObject({ page: 2, events: [], duplicates: 2 });
});

test('below the floor where ranges were dropped, the event store decides', async () => {
  const receipts = {
    sessionsMax: 1,
    rangesMax: 1,
    correctionsMax: 1,
    marksMax: 4,
    attributeNameBytesMax: 256 * 1_024,
  };
  const pageLimits = { eventsMax: 10, charactersMax: 100_000, receipts };
  const { deliver, services, summaries } = projectorFixture({}, { pageLimits, pagesPerSnapshot: 2 });
  for (const [index, counter] of [1, 3, 5, 7].entries())
    await deliver([record(index + 1, reported(counter))]);
  await deliver([record(5, reported(3)), record(6, reported(2))]);
  expect(summaries.at(-1)).toMatchObject({ duplicates: 1, late: 1, historyReads: 1 });
  expect((await services.latestState.read(BUS))?.counts).toEqual({
    events: 5,
    duplicates: 1,
    late: 1,
    gaps: 2,
  });
});

test('an older session keeps its own counters', async () => {
  const receipts = {
    sessionsMax: 1,
    rangesMax: 4,
    correctionsMax: 1,
    marksMax: 4,
    attributeNameBytesMax: 256 * 1_024,
  };
  const pageLimits = { eventsMax: 10, charactersMax: 100_000, receipts };
  const { deliver, services } = projectorFixture({}, { pageLimits });
  const at = (session: number, counter: number) => ({ ...reported(counter), identity: { session, counter } });
  await deliver([record(1, at(1, 1)), record(2, at(2, 1)), record(3, at(1, 1)), record(4, at(1, 2))]);
  expect((await services.latestState.read(BUS))?.counts).toMatchObject({ events: 3, duplicates: 1, late: 1 });
});
