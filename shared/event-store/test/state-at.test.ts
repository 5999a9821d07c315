import {
  type ArrivedEvent,
  COMPLETE_RECEIPT_LIMITS,
  type DeviceState,
  FOLD_VERSION,
  foldPage,
  newDevice,
  planPage,
} from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { asOf } from '../contract/as-of.ts';
import { writeBatch } from '../contract/chain-writer.ts';
import { countingEventStore } from '../contract/counting-event-store.ts';
import type { EventStore } from '../src/event-store.ts';
import { makeSnapshot } from '../src/make-snapshot.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';
import { ARRIVAL_TIME_MAX } from '../src/sort-key.ts';
import { stateAt } from '../src/state-at.ts';

const [SHARD] = SHARDS;

describe('the state of a device at a time', () => {
  it('is nothing before its first event', async () => {
    const store = memoryEventStore();
    await writeBatch(store, newDevice(DEVICE), SHARD, [arrivedEvent({ at: 1, session: 1, counter: 1 })]);
    const nothing = newDevice(DEVICE);
    const { page, arrivalMax, marks, ...described } = nothing;
    for (const at of [TEST_TIME_MS, 0]) {
      for (const [basis, expected] of [
        ['arrival', nothing],
        ['event-time', described],
      ] as const) {
        const { state, snapshotUsed } = await stateAt(store, DEVICE, asOf(at), basis);
        expect(state).toEqual(expected);
        expect(snapshotUsed).toBe(false);
      }
    }
  });

  it('is the head for the latest time that a key holds', async () => {
    const store = memoryEventStore();
    const event = arrivedEvent({ at: 1, session: 1, counter: 1 });
    const { state } = await writeBatch(store, newDevice(DEVICE), SHARD, [event]);
    const last = asOf(ARRIVAL_TIME_MAX);
    expect((await stateAt(store, DEVICE, last, 'arrival')).state).toEqual(state);
    expect((await stateAt(store, DEVICE, last, 'event-time')).state.attributes).toEqual(state.attributes);
  });

  it('knows a late event by event time, and not yet by arrival', async () => {
    const store = memoryEventStore();
    const at = (ms: number) => new Date(TEST_TIME_MS + ms).toISOString();
    const said = { session: 1, data: { speedMph: 50 } };
    let state: DeviceState = newDevice(DEVICE);
    ({ state } = await writeBatch(store, state, SHARD, [
      arrivedEvent({ ...said, counter: 1, at: 1, arrivalTime: TEST_TIME_MS + 100, time: at(50) }),
      arrivedEvent({
        ...said,
        counter: 3,
        at: 2,
        arrivalTime: TEST_TIME_MS + 200,
        time: at(150),
        data: { speedMph: 70 },
      }),
    ]));
    await writeBatch(store, state, SHARD, [
      arrivedEvent({
        ...said,
        counter: 2,
        at: 3,
        arrivalTime: TEST_TIME_MS + 300,
        time: at(90),
        data: { speedMph: 60 },
      }),
    ]);
    const speedAt = async (ms: number, basis: 'arrival' | 'event-time') =>
      (await stateAt(store, DEVICE, asOf(TEST_TIME_MS + ms), basis)).state.attributes.get('speedMph')?.value;
    expect(await speedAt(120, 'arrival')).toBe(50);
    expect(await speedAt(120, 'event-time')).toBe(60);
    expect(await speedAt(300, 'arrival')).toBe(70);
    expect(await speedAt(300, 'event-time')).toBe(70);
  });

  it('reads one snapshot and what follows it to the next, of a device with a million events', async () => {
    const EVENTS = 1_000_000;
    const EVENTS_PER_PAGE = 500;
    const SNAPSHOT_PAGES = 50;
    const store = countingEventStore(memoryEventStore());
    let state = newDevice(DEVICE);
    // The first page is planned; the others are it, moved on, so that a million events take seconds to make.
    const plan = planPage(
      state,
      SHARD,
      Array.from({ length: EVENTS_PER_PAGE }, (_, index) =>
        arrivedEvent({ at: index, session: 1, counter: index }),
      ),
    );
    if (plan.kind !== 'page') throw new Error('nothing is new');
    const pageMs = EVENTS_PER_PAGE * 1_000;
    for (let n = 0; n < EVENTS / EVENTS_PER_PAGE; n += 1) {
      const page = {
        ...plan.page,
        page: n + 1,
        arrivalMaxBefore: state.arrivalMax,
        firstArrivalTime: plan.page.firstArrivalTime + n * pageMs,
        lastArrivalTime: plan.page.lastArrivalTime + n * pageMs,
        throughArrivalTime: plan.page.throughArrivalTime + n * pageMs,
        events: plan.page.events.map((stored, index) => {
          const counter = n * EVENTS_PER_PAGE + index;
          return {
            ...stored,
            arrivalTime: stored.arrivalTime + n * pageMs,
            event: { ...stored.event, identity: { session: 1, counter }, data: { counter } },
            version: { ...stored.version, counter },
          };
        }),
      };
      await store.appendPage(page);
      state = foldPage(state, page, COMPLETE_RECEIPT_LIMITS);
      if (state.page % SNAPSHOT_PAGES !== 0) continue;
      await store.putSnapshot({ foldVersion: FOLD_VERSION, state, receipts: { ...state.receipts } });
    }
    expect(state.counts.events).toBe(EVENTS);
    for (const share of [0.001, 0.25, 0.5004, 0.99, 1]) {
      Object.assign(store.counts, { pages: 0, summaries: 0, snapshots: 0 });
      const last = Math.floor(EVENTS * share) - 1;
      const { state: then, pagesRead } = await stateAt(
        store,
        DEVICE,
        asOf(TEST_TIME_MS + last * 1_000),
        'arrival',
      );
      expect(then.attributes.get('counter')?.value).toBe(last);
      expect(store.counts.snapshots).toBeLessThanOrEqual(1);
      expect(store.counts.pages).toBe(pagesRead);
      expect(pagesRead).toBeLessThanOrEqual(SNAPSHOT_PAGES);
    }
  }, 60_000);

  it('does not fold past a page that is missing', async () => {
    const store = memoryEventStore();
    const { pages } = await writeBatch(memoryEventStore(), newDevice(DEVICE), SHARD, [
      arrivedEvent({ at: 1, session: 1, counter: 1 }),
    ]);
    const [page] = pages;
    if (page === undefined) throw new Error('nothing is new');
    await store.appendPage({ ...page, page: 2, arrivalMaxBefore: TEST_TIME_MS });
    const far = TEST_TIME_MS + 1e9;
    await expect(stateAt(store, DEVICE, asOf(far), 'arrival')).rejects.toMatchObject({
      code: 'CHAIN_BROKEN',
    });
  });

  it('within a page is what the device was before the first event of it that came later', async () => {
    const arrivals = [100, 300, 200, 500, 400];
    const arrived = arrivals.map((ms, index) =>
      arrivedEvent({
        ...(index === 1
          ? { correctionId: 'c', corrects: { session: 1, counter: 0 } }
          : { session: 1, counter: index }),
        at: index === 2 ? 1 : 10 + index,
        arrivalTime: TEST_TIME_MS + ms,
        data: { speedMph: index },
      }),
    );
    const store = memoryEventStore();
    await writeBatch(store, newDevice(DEVICE), SHARD, arrived);
    const [page] = await Array.fromAsync(store.pages(DEVICE));
    if (page === undefined) throw new Error('no page');
    for (const [ms, count] of [
      [99, 0],
      [100, 1],
      [299, 1],
      [300, 3],
      [499, 3],
    ] as const) {
      const { state } = await stateAt(store, DEVICE, asOf(TEST_TIME_MS + ms), 'arrival');
      const alone = memoryEventStore();
      const { state: then } = await writeBatch(alone, newDevice(DEVICE), SHARD, arrived.slice(0, count));
      expect(state).toEqual(then);
    }
    // A correction alone is nothing that was heard of the device.
    const corrected = memoryEventStore();
    const [first, correction] = arrived as [ArrivedEvent, ArrivedEvent];
    const moved = { ...correction, arrivalTime: TEST_TIME_MS + 50 };
    const late = { ...first, place: arrived.at(-1)?.place ?? first.place };
    await writeBatch(corrected, newDevice(DEVICE), SHARD, [moved, late]);
    const { state } = await stateAt(corrected, DEVICE, asOf(TEST_TIME_MS + 60), 'arrival');
    expect(state.lastArrivalTime).toBeUndefined();
    expect(state.counts.events).toBe(1);
  });

  it('counts the pages that were read, and asks for no more than the time needs', async () => {
    const store = countingEventStore(memoryEventStore());
    let state = newDevice(DEVICE);
    for (let n = 1; n <= 6; n += 1) {
      const event = arrivedEvent({ at: n, session: 1, counter: n });
      ({ state } = await writeBatch(store, state, SHARD, [event]));
      if (n !== 3) continue;
      const snapshot = await makeSnapshot(store, state);
      if (snapshot !== undefined) await store.putSnapshot(snapshot);
    }
    const asked: unknown[] = [];
    const { signal } = new AbortController();
    const watched: EventStore = {
      ...store,
      pages: (id, range) => {
        asked.push({ from: range?.from?.page, consistent: range?.consistent, signal: range?.signal });
        return store.pages(id, range);
      },
      latestSnapshot: (id, query) => {
        asked.push(query);
        return store.latestSnapshot(id, query);
      },
    };
    const at = (n: number) => TEST_TIME_MS + n * 1_000;
    const options = { consistent: true, signal };
    const query = { foldVersion: FOLD_VERSION, consistent: true, signal };
    const read = async (n: number, basis: 'arrival' | 'event-time', how: object) => {
      asked.length = 0;
      store.counts.pages = 0;
      const { pagesRead, snapshotUsed } = await stateAt(watched, DEVICE, asOf(at(n)), basis, how);
      expect(store.counts.pages).toBe(pagesRead);
      return { pagesRead, snapshotUsed };
    };
    // The page after it, too: an arrival of then may stand in it.
    expect(await read(5, 'arrival', options)).toEqual({ pagesRead: 3, snapshotUsed: true });
    expect(asked).toEqual([
      { ...query, arrivalMaxAtMost: at(5) },
      { from: 4, consistent: true, signal },
    ]);
    expect(await read(5, 'event-time', options)).toEqual({ pagesRead: 2, snapshotUsed: true });
    expect(asked).toEqual([
      { ...query, eventTimeAtMost: at(5), arrivalMaxAtMost: at(5) },
      { from: 4, consistent: true, signal },
    ]);
    expect(await read(2, 'event-time', {})).toEqual({ pagesRead: 2, snapshotUsed: false });
    expect(asked).toMatchObject([
      { consistent: false, eventTimeAtMost: at(2), arrivalMaxAtMost: at(2) },
      { consistent: false, eventTimeAtMost: at(2) },
      { from: 1, consistent: false },
    ]);
    expect(asked[1]).not.toHaveProperty('arrivalMaxAtMost');
    expect(await read(2, 'arrival', {})).toEqual({ pagesRead: 3, snapshotUsed: false });
    expect(asked).toMatchObject([{ consistent: false }, { from: 1, consistent: false }]);
  });
});
