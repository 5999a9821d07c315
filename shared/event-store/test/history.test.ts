import { type DeviceState, newDevice } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { writeBatch } from '../contract/chain-writer.ts';
import { countingEventStore } from '../contract/counting-event-store.ts';
import type { EventStore } from '../src/event-store.ts';
import { HISTORY_LIMITS, readHistory } from '../src/history.ts';
import type { HistoryAnswer, HistoryCursor, HistoryQuery } from '../src/history-query.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';

const [SHARD] = SHARDS;
const PAGES = HISTORY_LIMITS.pagesMax * 2 + 20;

async function longChain() {
  const store = countingEventStore(memoryEventStore());
  let state: DeviceState = newDevice(DEVICE);
  for (let n = 1; n <= PAGES; n += 1) {
    ({ state } = await writeBatch(store, state, SHARD, [arrivedEvent({ at: n, session: 1, counter: n })]));
  }
  return { store, state };
}

/** Pages of one event each, a second apart; those that are early arrived when the device was new. */
async function chain(length: number, isEarly: (n: number) => boolean = () => false) {
  const store = countingEventStore(memoryEventStore());
  let state: DeviceState = newDevice(DEVICE);
  for (let n = 1; n <= length; n += 1) {
    const arrival = isEarly(n) ? { arrivalTime: TEST_TIME_MS } : {};
    const event = arrivedEvent({ at: n, session: 1, counter: n, ...arrival });
    ({ state } = await writeBatch(store, state, SHARD, [event]));
  }
  Object.assign(store.counts, { pages: 0, summaries: 0, snapshots: 0 });
  return store;
}

/** Follows the cursors of a history to its end. */
async function readAll(store: ReturnType<typeof countingEventStore>, query: HistoryQuery) {
  const answers: HistoryAnswer[] = [];
  let cursor: HistoryCursor | undefined;
  do {
    Object.assign(store.counts, { pages: 0, summaries: 0, snapshots: 0 });
    const answer = await readHistory(store, { ...query, ...(cursor === undefined ? {} : { cursor }) });
    expect(store.counts.pages).toBeLessThanOrEqual(HISTORY_LIMITS.pagesMax);
    expect(store.counts.summaries).toBeLessThanOrEqual(HISTORY_LIMITS.summariesMax);
    answers.push(answer);
    cursor = answer.cursor;
  } while (cursor !== undefined);
  return answers;
}

const countersOf = (answers: readonly HistoryAnswer[]) =>
  answers.flatMap(({ events }) => events.map(({ event }) => event.identity?.counter));

describe('a history', () => {
  it.each(['ascending', 'descending'] as const)(
    'skims the pages of later arrivals, and finds what a repair has put behind them, %s',
    async (order) => {
      const { store, state } = await longChain();
      // The first event of all, repaired at the tail with its own arrival.
      const old = arrivedEvent({ at: 0, session: 1, counter: 0, arrivalTime: TEST_TIME_MS });
      await writeBatch(store, state, SHARD, [old], { repaired: true });
      const answers = await readAll(store, { deviceId: DEVICE, to: TEST_TIME_MS + 1_001, order, limit: 10 });
      expect(countersOf(answers)).toEqual(order === 'ascending' ? [1, 0] : [0, 1]);
      expect(answers).toHaveLength(1);
      expect(store.counts.pages).toBeLessThan(60);
    },
  );

  it.each(['ascending', 'descending'] as const)(
    'goes on through answers without events to the end, %s',
    async (order) => {
      const { store } = await longChain();
      // Arrived while the chain did, in a page that also holds an earlier arrival: skimming cannot pass over such pages.
      const scattered = countingEventStore({
        ...store,
        pageSummaries: async function* (deviceId, range) {
          for await (const summary of store.pageSummaries(deviceId, range))
            yield { ...summary, firstArrivalTime: 0 };
        },
      });
      const answers = await readAll(scattered, {
        deviceId: DEVICE,
        to: TEST_TIME_MS + 1_001,
        order,
        limit: 10,
      });
      expect(countersOf(answers)).toEqual([1]);
      expect(answers.length).toBe(Math.ceil(PAGES / HISTORY_LIMITS.pagesMax));
      expect(answers.some(({ events }) => events.length === 0)).toBe(true);
    },
  );

  it('begins at the page in which its first event may stand', async () => {
    const { store } = await longChain();
    const from = TEST_TIME_MS + (PAGES - 1) * 1_000;
    store.counts.pages = 0;
    const { events } = await readHistory(store, { deviceId: DEVICE, from, limit: 1_000 });
    expect(events.map(({ page }) => page)).toEqual([PAGES - 1, PAGES]);
    expect(store.counts.pages).toBeLessThanOrEqual(3);
  });

  it('shows an event beside its correction', async () => {
    const store = memoryEventStore();
    await writeBatch(store, newDevice(DEVICE), SHARD, [
      arrivedEvent({ at: 1, session: 1, counter: 1, data: { speedMph: 500 } }),
      arrivedEvent({
        at: 2,
        correctionId: 'c-1',
        corrects: { session: 1, counter: 1 },
        data: { speedMph: 50 },
      }),
    ]);
    const { events } = await readHistory(store, { deviceId: DEVICE, limit: 10 });
    expect(events.map(({ event, version }) => [event.type, event.data.speedMph, version.revision])).toEqual([
      ['reported', 500, 0],
      ['corrected', 50, 1],
    ]);
  });

  it('of a time holds what arrived from its beginning on, and not what arrived at its end', async () => {
    const store = await chain(5);
    const at = (n: number) => TEST_TIME_MS + n * 1_000;
    for (const order of ['ascending', 'descending'] as const) {
      const { events, cursor } = await readHistory(store, {
        ...{ deviceId: DEVICE, from: at(2), to: at(4), order, limit: 10 },
      });
      expect(events.map(({ page }) => page)).toEqual(order === 'ascending' ? [2, 3] : [3, 2]);
      expect(cursor).toBeUndefined();
    }
  });

  it('has as many events as were asked for, and goes on behind the last of them', async () => {
    const store = await chain(3);
    for (const order of ['ascending', 'descending'] as const) {
      const answers = await readAll(store, { deviceId: DEVICE, order, limit: 1 });
      expect(answers.map(({ events }) => events.length)).toEqual([1, 1, 1]);
      expect(countersOf(answers)).toEqual(order === 'ascending' ? [1, 2, 3] : [3, 2, 1]);
    }
  });

  it('fills its bytes to the last one', async () => {
    const store = await chain(3);
    const [one, two] = (await readHistory(store, { deviceId: DEVICE, limit: 3 })).events;
    const bytesMax = Buffer.byteLength(`${one?.text}${two?.text}`);
    for (const [bytes, count] of [
      [bytesMax, 2],
      [bytesMax - 1, 1],
      [1, 1],
    ] as const) {
      const limits = { ...HISTORY_LIMITS, bytesMax: bytes };
      const { events } = await readHistory(store, { deviceId: DEVICE, limit: 3 }, limits);
      expect(events).toHaveLength(count);
    }
  });

  it('looks for its first page once, and not where a cursor says it', async () => {
    const store = await chain(5);
    let looks = 0;
    const watched: EventStore = {
      ...store,
      lastKeyBelow: (...asked) => {
        looks += 1;
        return store.lastKeyBelow(...asked);
      },
    };
    const looksFor = async (query: Omit<HistoryQuery, 'deviceId' | 'limit'>) => {
      looks = 0;
      const { events } = await readHistory(watched, { deviceId: DEVICE, limit: 10, ...query });
      return [looks, events.length];
    };
    const from = TEST_TIME_MS + 3_000;
    const cursor = { arrivalMaxBefore: TEST_TIME_MS + 3_000, page: 4, index: 0 };
    expect(await looksFor({})).toEqual([0, 5]);
    expect(await looksFor({ from })).toEqual([1, 3]);
    expect(await looksFor({ from, cursor })).toEqual([0, 2]);
    expect(await looksFor({ from, cursor, order: 'descending' })).toEqual([1, 2]);
  });

  describe('of a time without events', () => {
    const nothing = { deviceId: DEVICE, to: TEST_TIME_MS, limit: 10 };
    const misses = HISTORY_LIMITS.missesBeforeSkimming;

    it('is the last answer once the first page was read, backwards, at any bound', async () => {
      for (const length of [misses, 20]) {
        const store = await chain(length);
        const limits = { ...HISTORY_LIMITS, pagesMax: length };
        expect(await readHistory(store, { ...nothing, order: 'descending' }, limits)).toEqual({ events: [] });
        if (length === misses) expect(store.counts).toMatchObject({ pages: misses, summaries: 0 });
      }
    });

    it('skims after a number of pages in a row, and not where events lie between them', async () => {
      const store = await chain(misses + 5);
      await readHistory(store, nothing);
      expect(store.counts).toMatchObject({ pages: misses, summaries: 5 });
      const between = await chain(3 * misses, (n) => n % (misses - 1) === 0);
      const { events } = await readHistory(between, { ...nothing, to: TEST_TIME_MS + 1 });
      expect(events).toHaveLength(3);
      expect(between.counts).toMatchObject({ pages: 3 * misses, summaries: 0 });
    });

    it('ends with a cursor where it has skimmed as many pages as it may', async () => {
      const store = await chain(misses + 20);
      const limits = { ...HISTORY_LIMITS, summariesMax: 7 };
      const { events, cursor } = await readHistory(store, nothing, limits);
      expect(events).toEqual([]);
      expect(cursor).toMatchObject({ page: misses + 7 + 1, index: 0 });
      expect(store.counts).toMatchObject({ pages: misses, summaries: 7 });
    });

    it('does not read a page whose first event arrived at its end, nor one without events', async () => {
      const store = await chain(misses + 1);
      await readHistory(store, { ...nothing, from: 0, to: TEST_TIME_MS + 1_000 });
      expect(store.counts).toMatchObject({ pages: misses, summaries: 1 });
      const pages = await Array.fromAsync(store.pages(DEVICE));
      const empty = countingEventStore(memoryEventStore());
      for (const page of pages) await empty.appendPage({ ...page, events: [], duplicates: 1 });
      await readHistory(empty, { deviceId: DEVICE, limit: 10 });
      expect(empty.counts).toMatchObject({ pages: misses, summaries: 1 });
    });
  });

  it.each([0, 1_001, 1.5])('refuses the limit %d', async (limit) => {
    await expect(readHistory(memoryEventStore(), { deviceId: DEVICE, limit })).rejects.toThrow(
      'limit must be',
    );
  });
});
