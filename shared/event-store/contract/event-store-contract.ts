import {
  type DeviceState,
  deviceId,
  type EventPage,
  newDevice,
  PAGE_LIMITS,
  planPage,
} from '@twinstream/device-model';
import { arrivedEvent, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditableEventStore } from '../src/audit.ts';
import { catchUp } from '../src/catch-up.ts';
import { loadDeviceHistory } from '../src/device-history.ts';
import type { EventStore, PageRange, Snapshot } from '../src/event-store.ts';
import { readHistory } from '../src/history.ts';
import { makeSnapshot } from '../src/make-snapshot.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';
import { comparePageKeys } from '../src/page-key.ts';
import { summaryOf } from '../src/page-summary.ts';
import { withoutValues } from '../src/snapshot-item.ts';
import { stateAt } from '../src/state-at.ts';
import { asOf } from './as-of.ts';
import { writeBatch } from './chain-writer.ts';
import { drawnChain, TINY_LIMITS, writeChain as writeRandomChain } from './random-chain.ts';

export interface OpenEventStore {
  readonly store: AuditableEventStore;
  close?(): Promise<void>;
}

const [SHARD] = SHARDS;
const MINUTE_MS = 60_000;

/** Gathers the values of an iterable. */
export async function all<Member>(members: AsyncIterable<Member>): Promise<Member[]> {
  const gathered: Member[] = [];
  for await (const member of members) gathered.push(member);
  return gathered;
}

/** What every event store must do. `open` is called once; each test uses devices of its own. */
export function describeEventStore(open: () => Promise<OpenEventStore>): void {
  let opened: OpenEventStore;
  let store: AuditableEventStore;
  let devices = 0;
  const newDeviceState = (): DeviceState => {
    devices += 1;
    return newDevice(deviceId(`device-${devices}`));
  };
  /** A chain of one event a page, a minute apart. */
  const writeChain = async (length: number) => {
    let state = newDeviceState();
    const pages: EventPage[] = [];
    for (let n = 1; n <= length; n += 1) {
      const arrivalTime = TEST_TIME_MS + n * MINUTE_MS;
      const event = arrivedEvent({ deviceId: state.deviceId, session: 1, counter: n, at: n, arrivalTime });
      const written = await writeBatch(store, state, SHARD, [event]);
      state = written.state;
      pages.push(...written.pages);
    }
    return { state, pages, deviceId: state.deviceId };
  };

  beforeAll(async () => {
    opened = await open();
    store = opened.store;
  });
  afterAll(() => opened?.close?.());

  describe('appending', () => {
    it('gives a page back as it was put, each event with its own text', async () => {
      const state = newDeviceState();
      const { pages } = await writeBatch(store, state, SHARD, [
        arrivedEvent({
          deviceId: state.deviceId,
          session: 1,
          counter: 1,
          at: 1,
          data: { 'ключ "€"': [1, null] },
        }),
        arrivedEvent({ deviceId: state.deviceId, at: 2, sub: 3 }),
        arrivedEvent({ deviceId: state.deviceId, correctionId: 'c-1', at: 9, data: { speedMph: 3 } }),
      ]);
      expect(await all(store.pages(state.deviceId, { consistent: true }))).toEqual(pages);
    });

    it('keeps the page that came first, and answers with it', async () => {
      const state = newDeviceState();
      const first = pageOf(state, 1);
      const second = pageOf(state, 2);
      expect(await store.appendPage(first)).toMatchObject({ outcome: 'appended' });
      expect(await store.appendPage(second)).toMatchObject({ outcome: 'conflict', existing: first });
      expect(await all(store.pages(state.deviceId, { consistent: true }))).toEqual([first]);
    });

    it('answers a put that is tried again with its own page', async () => {
      const page = pageOf(newDeviceState(), 1);
      await store.appendPage(page);
      const again = await store.appendPage(page);
      expect(again).toMatchObject({ outcome: 'conflict' });
      expect(again.outcome === 'conflict' && again.existing).toEqual(page);
    });

    it('lets one of many writers win', async () => {
      const state = newDeviceState();
      const candidates = Array.from({ length: 8 }, (_, index) => pageOf(state, index + 1));
      const results = await Promise.all(candidates.map((page) => store.appendPage(page)));
      const winners = candidates.filter((_, index) => results[index]?.outcome === 'appended');
      expect(winners).toHaveLength(1);
      for (const result of results) {
        if (result.outcome === 'conflict') expect(result.existing).toEqual(winners[0]);
      }
    });

    it('keeps devices apart whose pages have the same key', async () => {
      const [one, two] = [newDeviceState(), newDeviceState()];
      expect(await store.appendPage(pageOf(one, 1))).toMatchObject({ outcome: 'appended' });
      expect(await store.appendPage(pageOf(two, 1))).toMatchObject({ outcome: 'appended' });
    });

    it('keeps a page of a thousand events, and one whose event is of the largest size', async () => {
      const state = newDeviceState();
      const many = Array.from({ length: 1_000 }, (_, index) =>
        arrivedEvent({
          deviceId: state.deviceId,
          session: 1,
          counter: index,
          at: index + 1,
          data: { n: index },
        }),
      );
      const huge = arrivedEvent({ deviceId: state.deviceId, at: 2_000, data: { text: 'é'.repeat(130_000) } });
      const { pages } = await writeBatch(store, state, SHARD, [...many, huge]);
      expect(pages.length).toBeGreaterThan(1);
      expect(await all(store.pages(state.deviceId, { consistent: true }))).toEqual(pages);
    });

    it('keeps a page of duplicates alone', async () => {
      const state = newDeviceState();
      const sent = { deviceId: state.deviceId, session: 1, counter: 1 };
      const { state: next } = await writeBatch(store, state, SHARD, [arrivedEvent({ ...sent, at: 1 })]);
      const { pages } = await writeBatch(store, next, SHARD, [arrivedEvent({ ...sent, at: 2 })]);
      expect(pages).toMatchObject([{ page: 2, events: [], duplicates: 1 }]);
      expect((await all(store.pages(state.deviceId, { consistent: true }))).slice(1)).toEqual(pages);
    });
  });

  describe('reading pages', () => {
    it('knows nothing of a device without pages', async () => {
      expect(await all(store.pages(deviceId('nobody')))).toEqual([]);
      expect(await store.lastKeyBelow(deviceId('nobody'), TEST_TIME_MS)).toBeUndefined();
    });

    it('gives a long chain in its order and in reverse', async () => {
      const { deviceId, pages } = await writeChain(100);
      expect(await all(store.pages(deviceId, { consistent: true }))).toEqual(pages);
      const reversed = await all(store.pages(deviceId, { consistent: true, order: 'descending' }));
      expect(reversed).toEqual([...pages].reverse());
    });

    it('includes both ends of a range, in either order', async () => {
      const { deviceId, pages } = await writeChain(9);
      const [, , third, , , sixth] = pages as [
        EventPage,
        EventPage,
        EventPage,
        EventPage,
        EventPage,
        EventPage,
      ];
      const numbers = async (range: PageRange) =>
        (await all(store.pages(deviceId, range))).map(({ page }) => page);
      expect(await numbers({ from: third, to: sixth })).toEqual([3, 4, 5, 6]);
      expect(await numbers({ from: third, to: sixth, order: 'descending' })).toEqual([6, 5, 4, 3]);
      expect(await numbers({ to: third })).toEqual([1, 2, 3]);
      expect(await numbers({ from: sixth })).toEqual([6, 7, 8, 9]);
      expect(await numbers({ from: { ...third, page: 4 }, to: { ...sixth, page: 5 } })).toEqual([4, 5]);
      expect(await numbers({ from: sixth, to: third })).toEqual([]);
      expect(await numbers({ from: sixth, to: third, order: 'descending' })).toEqual([]);
    });

    it('gives only pages that hold a device time as early as asked for', async () => {
      const state = newDeviceState();
      const times = ['2026-01-03T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-02T02:00:00+02:00'];
      let head = state;
      for (const [index, time] of times.entries()) {
        const event = arrivedEvent({
          deviceId: state.deviceId,
          session: 1,
          counter: index,
          time,
          at: index + 1,
        });
        head = (await writeBatch(store, head, SHARD, [event])).state;
      }
      const eventTimeAtMost = Date.parse('2026-01-02T00:00:00Z');
      const found = await all(store.pages(state.deviceId, { eventTimeAtMost, consistent: true }));
      expect(found.map(({ page }) => page)).toEqual([2, 3]);
      const below = await all(
        store.pages(state.deviceId, { eventTimeAtMost: eventTimeAtMost - 1, consistent: true }),
      );
      expect(below.map(({ page }) => page)).toEqual([2]);
    });

    it('gives what pages say of themselves', async () => {
      const { deviceId, pages } = await writeChain(20);
      expect(await all(store.pageSummaries(deviceId, { consistent: true }))).toEqual(pages.map(summaryOf));
    });

    it('finds the highest key strictly below an arrival', async () => {
      const { deviceId, pages } = await writeChain(5);
      const [first, second] = pages as [EventPage, EventPage];
      const keyOf = ({ arrivalMaxBefore, page }: EventPage) => ({ arrivalMaxBefore, page });
      expect(await store.lastKeyBelow(deviceId, 0)).toBeUndefined();
      expect(await store.lastKeyBelow(deviceId, 1)).toEqual(keyOf(first));
      expect(await store.lastKeyBelow(deviceId, second.arrivalMaxBefore)).toEqual(keyOf(first));
      expect(await store.lastKeyBelow(deviceId, second.arrivalMaxBefore + 1)).toEqual(keyOf(second));
      expect(await store.lastKeyBelow(deviceId, 253_402_300_799_000)).toEqual(keyOf(pages[4] as EventPage));
      expect(await store.lastKeyBelow(deviceId, -1)).toBeUndefined();
    });

    it('orders pages of equal arrival by their number', async () => {
      let state = newDeviceState();
      const keys: EventPage[] = [];
      for (let n = 1; n <= 12; n += 1) {
        const event = arrivedEvent({
          deviceId: state.deviceId,
          session: 1,
          counter: n,
          at: n,
          arrivalTime: TEST_TIME_MS,
        });
        const written = await writeBatch(store, state, SHARD, [event]);
        state = written.state;
        keys.push(...written.pages);
      }
      const found = await all(store.pages(state.deviceId, { consistent: true }));
      expect(found.map(({ page }) => page)).toEqual(keys.map(({ page }) => page));
      expect([...found].sort(comparePageKeys)).toEqual(found);
    });

    it('lists devices that have pages, each once, however long their chains are', async () => {
      const long = await writeChain(150);
      const short = await Promise.all(Array.from({ length: 12 }, () => writeChain(2)));
      const listed = await all(store.deviceIds());
      expect(new Set(listed).size).toBe(listed.length);
      for (const { deviceId } of [long, ...short]) expect(listed).toContain(deviceId);
    });

    it('rejects with the reason of an aborted signal', async () => {
      const reason = new Error('the deadline is near');
      const signal = AbortSignal.abort(reason);
      const state = newDeviceState();
      await expect(store.appendPage(pageOf(state, 1), signal)).rejects.toBe(reason);
      await expect(all(store.pages(state.deviceId, { signal }))).rejects.toBe(reason);
      await expect(store.latestSnapshot(state.deviceId, { foldVersion: 1, signal })).rejects.toBe(reason);
      expect(await all(store.pages(state.deviceId, { consistent: true }))).toEqual([]);
    });
  });

  describe('snapshots', () => {
    it('gives a snapshot back as it was put, with receipts that the state forgot', async () => {
      const { state, deviceId } = await writeChain(3);
      const receipts = {
        sessions: new Map([
          [
            1,
            {
              lowest: 1,
              highest: 9,
              ranges: [
                { first: 1, last: 3 },
                { first: 9, last: 9 },
              ],
            },
          ],
        ]),
        corrections: [{ correctionId: 'c-1', session: 1, counter: 2, ordinal: 0, revision: 1 }],
        correctionsDropped: 0,
      };
      const snapshot = snapshotAt(state, { receipts, eventTimeMax: TEST_TIME_MS });
      expect(await store.putSnapshot(snapshot)).toBe('stored');
      expect(await store.latestSnapshot(deviceId, { foldVersion: 1, consistent: true })).toEqual(snapshot);
    });

    it('keeps the snapshot that came first', async () => {
      const { state, deviceId } = await writeChain(1);
      const first = snapshotAt(state, { eventTimeMax: 1 });
      expect(await store.putSnapshot(first)).toBe('stored');
      expect(await store.putSnapshot(snapshotAt(state, { eventTimeMax: 2 }))).toBe('exists');
      expect(await store.latestSnapshot(deviceId, { foldVersion: 1, consistent: true })).toEqual(first);
    });

    it('shows one without values to those alone who go on with a chain', async () => {
      const { state: first } = await writeChain(1);
      const { state } = await writeBatch(store, first, SHARD, [
        arrivedEvent({ deviceId: first.deviceId, session: 1, counter: 2, at: 2 }),
      ]);
      await store.putSnapshot(snapshotAt(first));
      await store.putSnapshot(withoutValues(snapshotAt(state)));
      const query = { foldVersion: 1, consistent: true };
      expect(await store.latestSnapshot(first.deviceId, query)).toEqual(snapshotAt(first));
      expect(await store.latestSnapshot(first.deviceId, { ...query, valuesOmitted: true })).toEqual(
        withoutValues(snapshotAt(state)),
      );
    });

    it('finds the latest one within each bound, and none of another fold version', async () => {
      const states: DeviceState[] = [];
      let state = newDeviceState();
      const { deviceId } = state;
      for (let n = 1; n <= 12; n += 1) {
        // Pages 3 and 4 share their arrival.
        const arrivalTime = TEST_TIME_MS + Math.min(n, Math.max(3, n - 1)) * MINUTE_MS;
        const event = arrivedEvent({ deviceId, session: 1, counter: n, at: n, arrivalTime });
        ({ state } = await writeBatch(store, state, SHARD, [event]));
        states.push(state);
        await store.putSnapshot(snapshotAt(state, { eventTimeMax: n * 10 }));
      }
      await store.putSnapshot(snapshotAt(state, { foldVersion: 2 }));
      const latest = async (query: object) =>
        (await store.latestSnapshot(deviceId, { foldVersion: 1, consistent: true, ...query }))?.state.page;
      const arrivalAfter = (page: number) => states[page - 1]?.arrivalMax ?? 0;
      expect(await latest({})).toBe(12);
      expect(await latest({ arrivalMaxAtMost: arrivalAfter(7) })).toBe(7);
      expect(await latest({ arrivalMaxAtMost: arrivalAfter(7) - 1 })).toBe(6);
      expect(await latest({ valuesOmitted: true })).toBe(12);
      expect(await latest({ arrivalMaxAtMost: arrivalAfter(3) })).toBe(4);
      expect(await latest({ arrivalMaxAtMost: arrivalAfter(3), pageAtMost: 3 })).toBe(3);
      expect(await latest({ pageAtMost: 5 })).toBe(5);
      expect(await latest({ eventTimeAtMost: 25 })).toBe(2);
      expect(await latest({ eventTimeAtMost: 80 })).toBe(8);
      expect(await latest({ eventTimeAtMost: 9 })).toBeUndefined();
      expect(await latest({ arrivalMaxAtMost: TEST_TIME_MS })).toBeUndefined();
      expect(await latest({ arrivalMaxAtMost: -1 })).toBeUndefined();
      expect(await latest({ arrivalMaxAtMost: 253_402_300_799_000 })).toBe(12);
      expect(await latest({ foldVersion: 3 })).toBeUndefined();
      expect(await latest({ foldVersion: 2 })).toBe(12);
    });

    it('does not admit a snapshot of unknown device times where those are asked for', async () => {
      const { state, deviceId } = await writeChain(1);
      await store.putSnapshot(snapshotAt(state));
      const query = { foldVersion: 1, eventTimeAtMost: Number.MAX_SAFE_INTEGER, consistent: true };
      expect(await store.latestSnapshot(deviceId, query)).toBeUndefined();
    });

    it('keeps snapshots out of the pages', async () => {
      const { state, deviceId, pages } = await writeChain(2);
      await store.putSnapshot(snapshotAt(state));
      expect(await all(store.pages(deviceId, { consistent: true }))).toEqual(pages);
      expect(await all(store.pages(deviceId, { order: 'descending', consistent: true }))).toHaveLength(2);
    });
  });

  describe('auditing', () => {
    it('shows every page and every snapshot once, in key order, with nothing wrong', async () => {
      const { state, deviceId, pages } = await writeChain(3);
      const older = { ...snapshotAt(state), state: { ...state, page: 2, arrivalMax: state.arrivalMax - 1 } };
      for (const snapshot of [snapshotAt(state), older, { ...older, foldVersion: 7 }]) {
        await store.putSnapshot(snapshot);
      }
      expect(await all(store.auditPages(deviceId))).toEqual(
        pages.map((page) => ({ kind: 'page', page, faults: [] })),
      );
      expect(await all(store.auditSnapshots(deviceId, { foldVersion: 1 }))).toEqual(
        [older, snapshotAt(state)].map((snapshot) => ({ kind: 'snapshot', snapshot, faults: [] })),
      );
      expect(await all(store.partitionKeys())).toContain(deviceId);
    });

    it('replaces a page where one stands at its key, and puts none where none does', async () => {
      const { deviceId, pages } = await writeChain(2);
      const [first, second] = pages;
      if (first === undefined || second === undefined) throw new Error('no pages');
      const other = { ...second, duplicates: 5 };
      expect(await store.replacePage(other)).toBe('replaced');
      expect(await store.replacePage({ ...second, page: 3 })).toBe('changed');
      expect(await all(store.pages(deviceId, { consistent: true }))).toEqual([first, other]);
    });
  });

  describe('temporal reads', () => {
    // The property tests of each read decide what is right, in memory; here every store must give the same.
    it('answers as the store in memory does, over chains of every kind', async () => {
      const memory = memoryEventStore();
      for (const drawn of fc.sample(drawnChain, { numRuns: 12, seed: 20_261_102 })) {
        const { deviceId } = newDeviceState();
        const { state, states } = await writeRandomChain(store, drawn, 3, deviceId);
        await writeRandomChain(memory, drawn, 3, deviceId);
        const answers = async (asked: EventStore) => {
          const options = { limits: TINY_LIMITS.receipts, consistent: true };
          const times = [-5, 0, 7, 20, 45].map((ms) => TEST_TIME_MS + ms);
          const order = 'descending';
          return {
            byArrival: await Promise.all(
              times.map((at) => stateAt(asked, deviceId, asOf(at), 'arrival', options)),
            ),
            byEventTime: await Promise.all(
              times.map((at) => stateAt(asked, deviceId, asOf(at), 'event-time', options)),
            ),
            history: await readHistory(asked, {
              deviceId,
              from: TEST_TIME_MS + 5,
              to: TEST_TIME_MS + 30,
              limit: 9,
            }),
            backwards: await readHistory(asked, { deviceId, from: TEST_TIME_MS + 5, order, limit: 1_000 }),
            head: (await catchUp(asked, states[0] ?? state, { limits: TINY_LIMITS.receipts })).state,
            snapshot: await makeSnapshot(asked, state),
          };
        };
        expect(await answers(store)).toEqual(await answers(memory));
      }
    });
  });

  describe('the window of a key', () => {
    /** A chain of events with a key each, one a page, and one more that arrives now. */
    const written = async (length: number) => {
      const start = newDeviceState();
      const keyed = (n: number, at = n) =>
        arrivedEvent({ deviceId: start.deviceId, at, key: { key: `${n}`, eventsMax: 8 } });
      const events = Array.from({ length }, (_, index) => keyed(index + 1));
      const limits = { ...PAGE_LIMITS, eventsMax: 1 };
      const { state } = await writeBatch(store, start, SHARD, events, { limits });
      return { state, keyed };
    };

    it('is read from the end of a chain, no farther than it reaches, and told by the same key alone', async () => {
      const { state, keyed } = await written(40);
      const arrived = [keyed(33, 41), keyed(32, 42)];
      const { recent } = await loadDeviceHistory(store, state, { shardId: SHARD, arrived });
      expect(recent?.traces.map(({ key }) => Number(key?.replaceAll('_', '')))).toEqual(
        Array.from({ length: 16 }, (_, index) => index + 25),
      );
      const after = await writeBatch(store, state, SHARD, arrived);
      expect(after.state.counts).toMatchObject({ events: 41, duplicates: 1 });
    });

    it('is that of the place of an event that is delivered again, however far its device has come', async () => {
      const { state, keyed } = await written(40);
      // A copy that was dropped with the page after the one it is a copy of.
      const copy = keyed(41, 41);
      const dropped = await writeBatch(store, state, SHARD, [
        keyed(41),
        { ...copy, place: { ...copy.place, subSequenceNumber: 1 } },
      ]);
      const later = Array.from({ length: 40 }, (_, index) => keyed(index + 42));
      const { state: end } = await writeBatch(store, dropped.state, SHARD, later);
      expect(end.counts).toMatchObject({ events: 81, duplicates: 1 });
      const again = [{ ...copy, place: { ...copy.place, subSequenceNumber: 1 } }, keyed(42)];
      const { pages } = await writeBatch(store, end, SHARD, again);
      expect(pages).toEqual([]);
    });

    it('is refused where a page of it is missing', async () => {
      const { state, keyed } = await written(3);
      const ahead = { ...state, page: 4, arrivalMax: state.arrivalMax + 1_000 };
      const asked = loadDeviceHistory(store, ahead, { shardId: SHARD, arrived: [keyed(9, 9)] });
      await expect(asked).rejects.toMatchObject({ code: 'CHAIN_BROKEN' });
    });
  });
}

function pageOf(state: DeviceState, at: number): EventPage {
  const event = arrivedEvent({ deviceId: state.deviceId, session: 1, counter: at, at });
  const plan = planPage(state, SHARD, [event]);
  if (plan.kind !== 'page') throw new Error('the event is not new');
  return plan.page;
}

function snapshotAt(state: DeviceState, changes: Partial<Snapshot> = {}): Snapshot {
  return { foldVersion: 1, state, receipts: state.receipts, ...changes };
}
