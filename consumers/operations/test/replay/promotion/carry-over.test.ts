import {
  type ArrivedEvent,
  type DeviceState,
  decodeEvent,
  type EventPage,
  newDevice,
} from '@twinstream/device-model';
import { nextPageKey, type PageKey } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { CodedError } from '@twinstream/runtime';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { createCarryOver } from '../../../src/replay/promotion/carry-over.ts';
import type { Stores } from '../../../src/services.ts';
import { memoryReplay } from '../memory-replay.ts';

const { signal } = new AbortController();
const [SHARD, OTHER_SHARD] = SHARDS;

/** The event of this counter; it arrives so many milliseconds after the start of the test. */
const counted = (counter: number, arrivedMs = counter * 100): ArrivedEvent =>
  arrivedEvent({
    at: counter,
    arrivalTime: TEST_TIME_MS + arrivedMs,
    session: 1,
    counter,
    data: { value: counter },
  });

interface SetUp {
  readonly isCopy?: boolean;
  readonly heldFromMs?: number;
  readonly inUse?: (stores: Stores) => Stores;
  readonly intoFresh?: (stores: Stores) => Stores;
}

/** Tables in use with one device, fresh ones beside them, and which reads of the chain in use were made. */
function setUp({
  isCopy = false,
  heldFromMs = 0,
  inUse = (own) => own,
  intoFresh = (own) => own,
}: SetUp = {}) {
  const services = memoryReplay({ entries: [] });
  const { stores, fresh } = services;
  const reads: { from: PageKey | undefined; consistent: boolean | undefined }[] = [];
  const watched: Stores = {
    ...stores,
    eventStore: {
      ...stores.eventStore,
      pages: (deviceId, options = {}) => {
        reads.push({ from: options.from, consistent: options.consistent });
        return stores.eventStore.pages(deviceId, options);
      },
    },
  };
  let state: DeviceState = newDevice(DEVICE);
  const append = async (arrived: readonly ArrivedEvent[], { shard = SHARD, repaired = false } = {}) => {
    const written = await writeBatch(stores.eventStore, state, shard, arrived, { repaired });
    state = written.state;
    return written;
  };
  const carryOver = createCarryOver({
    ...services,
    stores: inUse(watched),
    fresh: intoFresh(fresh),
    isCopy,
    heldFromMs,
  });
  return { stores, fresh, reads, append, carryOver, head: () => state };
}

async function pagesOf({ eventStore }: Stores): Promise<readonly EventPage[]> {
  return Array.fromAsync(eventStore.pages(DEVICE));
}

test('a fresh state that an attempt left behind its pages is brought to their end before the switch', async () => {
  const { fresh, append, carryOver } = setUp();
  await append([counted(1)]);
  const { state } = await writeBatch(fresh.eventStore, newDevice(DEVICE), SHARD, [counted(1)]);
  expect(await fresh.latestState.read(DEVICE)).toBeUndefined();
  expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
  expect(await fresh.latestState.read(DEVICE)).toEqual(state);
});

/** Fresh tables to which somebody else appends a page before each of the first reads of their last page. */
function appendedToBeside(times: number): (stores: Stores) => Stores {
  let [state, appended] = [newDevice(DEVICE), 0];
  return (stores) => ({
    ...stores,
    eventStore: {
      ...stores.eventStore,
      lastKeyBelow: async (...query) => {
        if (appended < times) {
          appended += 1;
          ({ state } = await writeBatch(stores.eventStore, state, SHARD, [counted(appended)]));
        }
        return stores.eventStore.lastKeyBelow(...query);
      },
    },
  });
}

test('a page that an attempt still appends, which was taken over, is read before the fresh tables are compared', async () => {
  const { fresh, append, carryOver } = setUp({ intoFresh: appendedToBeside(2) });
  await append([counted(1)]);
  await append([counted(2)]);
  expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
  expect((await fresh.latestState.read(DEVICE))?.page).toBe(2);
});

/** Counters of the events of each page, with `r` where a repair appended it. */
async function layoutOf(stores: Stores): Promise<readonly string[]> {
  const name = ({ text, repaired }: EventPage['events'][number]) =>
    `${JSON.parse(text).counter}${repaired === true ? 'r' : ''}`;
  return (await pagesOf(stores)).map(({ events }) => events.map(name).join(' '));
}

const withLatestState = (change: Partial<Stores['latestState']>) => (stores: Stores) => ({
  ...stores,
  latestState: { ...stores.latestState, ...change },
});
const failingRead = (error: Error) => withLatestState({ read: () => Promise.reject(error) });

describe('a visit', () => {
  test('brings what a repair appended first, each event as a page, and every event that came since the next time', async () => {
    const { fresh, append, carryOver } = setUp();
    await append([counted(1), counted(2)]);
    await append([counted(3), counted(4)], { repaired: true });
    await carryOver.visit(DEVICE, signal);
    expect(await layoutOf(fresh)).toEqual(['3r', '4r']);
    expect(carryOver.eventCount).toBe(2);
    await append([counted(5)]);
    await append([counted(6)], { repaired: true });
    await carryOver.visit(DEVICE, signal);
    expect(await layoutOf(fresh)).toEqual(['3r', '4r', '5', '6r']);
    expect(carryOver.eventCount).toBe(4);
  });

  test('goes on behind the last page that was read, consistently', async () => {
    const { reads, append, carryOver, head } = setUp();
    for (const [counter, arrivedMs] of [
      [1, 100],
      [2, 300],
      [3, 200],
    ] as const)
      await append([counted(counter, arrivedMs)]);
    await carryOver.visit(DEVICE, signal);
    const third = nextPageKey(head());
    await carryOver.visit(DEVICE, signal);
    await append([counted(4, 250)]);
    await carryOver.visitAgain(DEVICE, signal);
    await carryOver.visitAgain(DEVICE, signal);
    expect(reads.map(({ from }) => from)).toEqual([undefined, third, third, nextPageKey(head())]);
    expect(reads.every(({ consistent }) => consistent === true)).toBe(true);
  });

  test('of a device without pages begins at the first one the next time', async () => {
    const { reads, carryOver } = setUp();
    await carryOver.visit(DEVICE, signal);
    await carryOver.visit(DEVICE, signal);
    expect(reads.map(({ from }) => from)).toEqual([undefined, undefined]);
    expect(carryOver.eventCount).toBe(0);
  });

  test('of a window brings what arrived at its beginning, and nothing from before', async () => {
    const { fresh, append, carryOver } = setUp({ heldFromMs: TEST_TIME_MS + 200 });
    await append([counted(1), counted(2), counted(3)], { repaired: true });
    await carryOver.visit(DEVICE, signal);
    expect(await layoutOf(fresh)).toEqual(['2r', '3r']);
  });

  test('offers the neighbours of a page as each was appended', async () => {
    const { stores, fresh, append, carryOver } = setUp();
    await append([counted(1)]);
    await carryOver.visit(DEVICE, signal);
    const { pages } = await writeBatch(
      memoryReplay({ entries: [] }).stores.eventStore,
      newDevice(DEVICE),
      SHARD,
      [counted(2), counted(3), counted(4)],
    );
    const [page] = pages;
    if (page === undefined) throw new Error('a page');
    const [two, three, four] = page.events;
    if (!two || !three || !four) throw new Error('three events');
    const events = [two, { ...three, repaired: true as const }, four];
    await stores.eventStore.appendPage({ ...page, page: 2, arrivalMaxBefore: TEST_TIME_MS + 100, events });
    await carryOver.visit(DEVICE, signal);
    expect(await layoutOf(fresh)).toEqual(['2', '3r', '4']);
  });

  test('of a copy copies the pages behind those it has, as they are', async () => {
    const { stores, fresh, reads, append, carryOver, head } = setUp({ isCopy: true });
    await append([counted(1), counted(2)]);
    await carryOver.visit(DEVICE, signal);
    expect(await pagesOf(fresh)).toEqual(await pagesOf(stores));
    const second = nextPageKey(head());
    await append([counted(3), counted(4)], { repaired: true });
    await carryOver.visit(DEVICE, signal);
    expect(await pagesOf(fresh)).toEqual(await pagesOf(stores));
    expect(carryOver.eventCount).toBe(4);
    expect(reads.at(-1)?.from).toEqual(second);
    await carryOver.visitAgain(DEVICE, signal);
    expect(reads.at(-1)?.from).toEqual(nextPageKey(head()));
  });

  test('of a copy whose state cannot be read begins at the first page', async () => {
    const damaged = new CodedError('DAMAGED_STATE', 'damaged');
    const { stores, fresh, append, carryOver } = setUp({ isCopy: true, intoFresh: failingRead(damaged) });
    await append([counted(1)]);
    await carryOver.visit(DEVICE, signal);
    expect(await pagesOf(fresh)).toEqual(await pagesOf(stores));
  });

  test.each([
    new CodedError('STATE_ITEM_UNKNOWN', 'another failure'),
    Object.assign(new Error('no error of ours'), { code: 'DAMAGED_STATE' }),
  ])('of a copy fails where the read of its state fails otherwise: %s', async (failure) => {
    const { append, carryOver } = setUp({ isCopy: true, intoFresh: failingRead(failure) });
    await append([counted(1)]);
    await expect(carryOver.visit(DEVICE, signal)).rejects.toBe(failure);
  });
});

describe('what the fresh tables lack', () => {
  test('is nothing where they cover the device, and then its chain is not read', async () => {
    const { stores, reads, append, carryOver, head } = setUp({ isCopy: false });
    await append([counted(1)], { repaired: true });
    await carryOver.visit(DEVICE, signal);
    await stores.latestState.write(head());
    reads.length = 0;
    expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
    expect(reads.map(({ from }) => from)).toEqual([nextPageKey(head())]);
  });

  test('is brought from the chain in use, event by event', async () => {
    const { fresh, reads, append, carryOver } = setUp();
    await append([counted(1), counted(2)]);
    await append([counted(3)], { shard: OTHER_SHARD });
    expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
    expect(await layoutOf(fresh)).toEqual(['1', '2', '3']);
    expect(carryOver.eventCount).toBe(3);
    expect(reads.every(({ consistent }) => consistent === true)).toBe(true);
  });

  test.each([false, true])('is told where a fresh state has not its pages (copy: %s)', async (isCopy) => {
    const { fresh, append, carryOver, head } = setUp({ isCopy });
    await append([counted(1)]);
    await append([counted(2)]);
    await fresh.latestState.write(head());
    expect(await carryOver.lack(DEVICE, signal)).toBe('the state is that of page 2, and the pages end at 0');
    expect(await pagesOf(fresh)).toEqual([]);
  });

  test('is a correction that the chain in use has accepted, though it lies ahead of the device in the fresh tables', async () => {
    const { fresh, append, carryOver } = setUp();
    await append([counted(1)]);
    const corrects = { session: 1, counter: 3 };
    await append([arrivedEvent({ at: 2, correctionId: 'c1', corrects, data: { value: 7 } })]);
    expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
    expect((await pagesOf(fresh)).flatMap(({ events }) => events)).toHaveLength(2);
  });

  test('leaves out an event whose session was derived otherwise in the fresh tables, which accepted its device in another order', async () => {
    const { fresh, append, carryOver } = setUp();
    const derived = (session: number): ArrivedEvent => {
      const head = {
        session,
        counter: 1,
        v: 1,
        deviceId: DEVICE,
        type: 'reported',
        time: '2026-12-01T00:00:00Z',
      };
      const made = { mapping: { name: 'm', version: 1 }, source: { counter: 1 }, data: {} };
      const decoded = decodeEvent(Buffer.from(JSON.stringify({ ...head, ...made })));
      if ('rejected' in decoded) throw new TypeError(decoded.detail);
      const { place, arrivalTime } = counted(1);
      return { place, arrivalTime, ...decoded };
    };
    const { state } = await writeBatch(fresh.eventStore, newDevice(DEVICE), SHARD, [derived(0)]);
    await fresh.latestState.write(state);
    await append([derived(9)]);
    expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
    expect((await pagesOf(fresh)).flatMap(({ events }) => events)).toHaveLength(1);
  });

  test('is one of two copies by key at most, where these are farther apart in the chain in use', async () => {
    const { fresh, append, carryOver } = setUp();
    const [first, other, copy] = ['k', 'other', 'k'].map((key, index) =>
      arrivedEvent({ at: index + 1, key: { key, eventsMax: 1 } }),
    ) as [ArrivedEvent, ArrivedEvent, ArrivedEvent];
    const { state } = await writeBatch(fresh.eventStore, newDevice(DEVICE), SHARD, [first, copy]);
    await fresh.latestState.write(state);
    await append([first, other, copy]);
    expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
    const held = (await pagesOf(fresh)).flatMap(({ events }) => events.map(({ place }) => place));
    expect(held).toEqual([first.place, other.place]);
  });

  test('of a copy is told, and not brought', async () => {
    const { fresh, append, carryOver } = setUp({ isCopy: true });
    await append([counted(1)]);
    expect(await carryOver.lack(DEVICE, signal)).toBe('0 of 1 events');
    expect(await pagesOf(fresh)).toEqual([]);
    expect(carryOver.eventCount).toBe(0);
  });

  test('of a window is what arrived from its beginning on', async () => {
    const { fresh, append, carryOver } = setUp({ heldFromMs: TEST_TIME_MS + 200 });
    await append([counted(1), counted(2)]);
    await append([counted(3)]);
    expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
    expect(await layoutOf(fresh)).toEqual(['2', '3']);
  });

  test.each([false, true])('where pages in use are missing (copy: %s)', async (isCopy) => {
    const { stores, fresh, append, carryOver } = setUp({ isCopy });
    const kept: EventPage[] = [];
    const appendPage = stores.eventStore.appendPage;
    Object.assign(stores.eventStore, {
      appendPage: async (page: EventPage) => {
        if (page.page === 2) return { outcome: 'appended' };
        kept.push(page);
        return appendPage(page);
      },
    });
    for (const counter of [1, 2, 3]) await append([counted(counter)]);
    expect(kept.map(({ page }) => page)).toEqual([1, 3]);
    // What is still there is brought, and nothing else is required.
    expect(await carryOver.lack(DEVICE, signal)).toBe(isCopy ? 'pages in use are missing' : undefined);
    expect(await layoutOf(fresh)).toEqual(isCopy ? [] : ['1', '3']);
  });

  test.each([
    new CodedError('DYNAMODB_REFUSED', 'refused'),
    Object.assign(new Error('no error of ours'), { code: 'CHAIN_BROKEN' }),
  ])('is not known where the tables in use cannot be read: %s', async (failure) => {
    const { carryOver } = setUp({ inUse: failingRead(failure) });
    await expect(carryOver.lack(DEVICE, signal)).rejects.toBe(failure);
  });

  test('is told where the fresh tables do not take what is brought', async () => {
    const { append, carryOver } = setUp({
      intoFresh: (stores) => ({
        eventStore: { ...stores.eventStore, appendPage: async () => ({ outcome: 'appended' as const }) },
        latestState: { ...stores.latestState, write: async () => ({ outcome: 'written' as const }) },
      }),
    });
    await append([counted(1), counted(2)]);
    expect(await carryOver.lack(DEVICE, signal)).toBe('0 of 2 events');
  });

  test('reads the states consistently', async () => {
    const options: unknown[] = [];
    const watch = (stores: Stores) =>
      withLatestState({
        read: (deviceId, given) => {
          options.push(given?.consistent);
          return stores.latestState.read(deviceId, given);
        },
      })(stores);
    const { append, carryOver } = setUp({ inUse: watch, intoFresh: watch });
    await append([counted(1)]);
    await carryOver.lack(DEVICE, signal);
    expect(new Set(options)).toEqual(new Set([true]));
  });
});

describe('a page that holds only duplicates', () => {
  async function withDuplicates(options: SetUp = {}) {
    const world = setUp(options);
    await world.append([counted(1)]);
    // The same event again, in a shard of its own.
    await world.append([counted(1, 500)], { shard: OTHER_SHARD });
    return world;
  }

  test('is laid under the end of the fresh chain, once', async () => {
    const { stores, fresh, carryOver } = await withDuplicates();
    expect((await pagesOf(stores))[1]).toMatchObject({ events: [], duplicates: 1 });
    for (const _ of [1, 2]) expect(await carryOver.lack(DEVICE, signal)).toBeUndefined();
    const pages = await pagesOf(fresh);
    expect(pages.map(({ events, duplicates }) => [events.length, duplicates])).toEqual([
      [1, 0],
      [0, 1],
    ]);
    const state = await fresh.latestState.read(DEVICE);
    expect(state).toMatchObject({ page: 2, counts: { events: 1, duplicates: 1 } });
    expect(state?.marks.get(OTHER_SHARD)?.sequenceNumber).toBe(pages[1]?.through.sequenceNumber);
  });

  test.each([
    ['500 ms, when it arrived', 500, 1],
    ['501 ms', 501, 0],
  ])('is wanted in a window from %s', async (_, fromMs, pageCount) => {
    const { fresh, carryOver } = await withDuplicates({ heldFromMs: TEST_TIME_MS + fromMs });
    await carryOver.lack(DEVICE, signal);
    expect(await pagesOf(fresh)).toHaveLength(pageCount);
  });

  test('is told by its shard and position where the fresh tables do not take it, the last of several', async () => {
    const { append, carryOver } = await withDuplicates({
      intoFresh: (stores) => ({
        eventStore: {
          ...stores.eventStore,
          appendPage: async (page, given) =>
            page.events.length === 0
              ? { outcome: 'appended' as const }
              : stores.eventStore.appendPage(page, given),
        },
        latestState: { ...stores.latestState, write: async () => ({ outcome: 'written' as const }) },
      }),
    });
    const { pages } = await append([{ ...counted(1, 600), place: counted(2).place }], { shard: OTHER_SHARD });
    const last = pages.at(-1)?.through.sequenceNumber;
    expect(await carryOver.lack(DEVICE, signal)).toBe(`the high-water mark of ${OTHER_SHARD} is not ${last}`);
  });

  test('goes under the page of another writer that was faster', async () => {
    let isFirst = true;
    const { fresh, append, carryOver } = setUp({
      intoFresh: (stores) => ({
        ...stores,
        eventStore: {
          ...stores.eventStore,
          appendPage: async (page, given) => {
            if (!isFirst || page.events.length > 0) return stores.eventStore.appendPage(page, given);
            isFirst = false;
            const { pages } = await writeBatch(stores.eventStore, newDevice(DEVICE), SHARD, [counted(9)]);
            const [existing] = pages;
            if (existing === undefined) throw new Error('a page');
            return stores.eventStore.appendPage(page, given);
          },
        },
      }),
      heldFromMs: TEST_TIME_MS + 500,
    });
    await append([counted(1)]);
    await append([counted(1, 500)], { shard: OTHER_SHARD });
    await carryOver.lack(DEVICE, signal);
    const pages = await pagesOf(fresh);
    expect(pages.map(({ page, events, duplicates }) => [page, events.length, duplicates])).toEqual([
      [1, 1, 0],
      [2, 0, 1],
    ]);
  });
});
