import {
  type ArrivedEvent,
  type DeviceId,
  type DeviceState,
  deviceId,
  type EventPage,
  newDevice,
  planPage,
} from '@twinstream/device-model';
import type { AuditableEventStore, AuditedPage } from '@twinstream/event-store';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { previewStores } from '../../../src/replay/repair/preview-stores.ts';
import { memoryStores } from '../memory-replay.ts';

const OTHER = deviceId('bus-other');

function event(at: number): ArrivedEvent {
  return arrivedEvent({ at, arrivalTime: TEST_TIME_MS + at, session: 1, counter: at, data: { value: at } });
}

/** Pages of one event each, and the states after them. */
function chain(device: DeviceId, pageCount: number) {
  const pages: EventPage[] = [];
  const states: DeviceState[] = [];
  let state = newDevice(device);
  for (let at = 1; at <= pageCount; at += 1) {
    const plan = planPage(state, SHARDS[0], [event(at)]);
    if (plan.kind !== 'page') throw new Error(plan.kind);
    pages.push(plan.page);
    states.push(plan.next);
    state = plan.next;
  }
  return { pages, states };
}

const { pages: PAGES, states: STATES } = chain(DEVICE, 6);
const pageAt = (number: number): EventPage => PAGES[number - 1] ?? raise(number);
const stateAt = (number: number): DeviceState => STATES[number - 1] ?? raise(number);
function raise(number: number): never {
  throw new Error(`no page ${number}`);
}

/** Stores that hold these pages, and a preview over them to which those are written. */
async function preview(stored: readonly number[], written: readonly number[] = []) {
  const under = memoryStores();
  for (const number of stored) await under.eventStore.appendPage(pageAt(number));
  const stores = previewStores(under);
  for (const number of written) await stores.eventStore.appendPage(pageAt(number));
  return { under, stores, ...stores };
}

const numbersOf = (pages: readonly { readonly page: number }[]) => pages.map(({ page }) => page);
const numbers = async (pages: AsyncIterable<{ readonly page: number }>) =>
  numbersOf(await Array.fromAsync(pages));
const audited = async (store: AuditableEventStore) =>
  (await Array.fromAsync(store.auditPages(DEVICE))).map((item) =>
    item.kind === 'page' ? item.page.page : item.kind,
  );

describe('pages of a preview', () => {
  test('are those that are stored and those that were written, in the order that is asked for', async () => {
    const { eventStore, under } = await preview([1, 3, 6], [2, 4, 5]);
    expect(await numbers(eventStore.pages(DEVICE))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await numbers(eventStore.pages(DEVICE, { order: 'descending' }))).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await numbers(eventStore.pageSummaries(DEVICE))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await numbers(eventStore.pageSummaries(DEVICE, { order: 'descending' }))).toEqual([
      6, 5, 4, 3, 2, 1,
    ]);
    expect(await audited(eventStore)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await numbers(under.eventStore.pages(DEVICE))).toEqual([1, 3, 6]);
  });

  test.each([
    [[1, 2], []],
    [[], [1, 2]],
    [[2], [1]],
  ])('%j stored and %j written are all there', async (stored, written) => {
    const { eventStore } = await preview(stored, written);
    expect(await numbers(eventStore.pages(DEVICE))).toEqual([1, 2]);
    expect(await audited(eventStore)).toEqual([1, 2]);
  });

  test('end with the reader, in both stores', async () => {
    const { eventStore } = await preview([1, 3], [2]);
    for await (const { page } of eventStore.pages(DEVICE)) {
      expect(page).toBe(1);
      break;
    }
  });

  test('are not written over one that is stored', async () => {
    const { eventStore } = await preview([1, 2]);
    const other = { ...pageAt(2), duplicates: 7 };
    expect(await eventStore.appendPage(other)).toEqual({ outcome: 'conflict', existing: pageAt(2) });
    expect(await Array.fromAsync(eventStore.pages(DEVICE))).toEqual([pageAt(1), pageAt(2)]);
  });

  test('are not written over one that was written', async () => {
    const { eventStore } = await preview([1], [2]);
    expect(await eventStore.appendPage({ ...pageAt(2), duplicates: 7 })).toEqual({
      outcome: 'conflict',
      existing: pageAt(2),
    });
  });

  test('replace what is stored, again too, in every reading, and nothing below', async () => {
    const { eventStore, under } = await preview([1, 2, 3]);
    for (const duplicates of [7, 8]) {
      const mended = { ...pageAt(2), duplicates };
      expect(await eventStore.replacePage(mended)).toBe('replaced');
      const expected = [pageAt(1), mended, pageAt(3)];
      expect(await Array.fromAsync(eventStore.pages(DEVICE))).toEqual(expected);
      expect(await numbers(eventStore.pageSummaries(DEVICE))).toEqual([1, 2, 3]);
      expect(await Array.fromAsync(eventStore.auditPages(DEVICE))).toMatchObject(
        expected.map((page) => ({ kind: 'page', page })),
      );
    }
    expect(await Array.fromAsync(under.eventStore.pages(DEVICE))).toEqual([1, 2, 3].map(pageAt));
  });

  test('replace an item that cannot be read', async () => {
    const { under } = await preview([1, 3]);
    const key = { arrivalMaxBefore: pageAt(2).arrivalMaxBefore, page: 2 };
    const damaged: AuditedPage = { kind: 'damaged', key, code: 'DAMAGED_PAGE', fault: 'cut off' };
    const foreign: AuditedPage = { kind: 'foreign', key: 'x' };
    const eventStore: AuditableEventStore = {
      ...under.eventStore,
      auditPages: async function* (device, options) {
        let at = 0;
        yield foreign;
        for await (const item of under.eventStore.auditPages(device, options)) {
          yield item;
          at += 1;
          if (at === 1) yield damaged;
        }
      },
    };
    const stores = previewStores({ ...under, eventStore });
    expect(await audited(stores.eventStore)).toEqual(['foreign', 1, 'damaged', 3]);
    expect(await stores.eventStore.replacePage(pageAt(2))).toBe('replaced');
    expect(await audited(stores.eventStore)).toEqual(['foreign', 1, 2, 3]);
    expect(await numbers(stores.eventStore.pages(DEVICE))).toEqual([1, 2, 3]);
  });

  test('are refused above what a preview holds, and held up to it', async () => {
    const under = memoryStores();
    const characters = (number: number) =>
      pageAt(number).events.reduce((sum, { text }) => sum + text.length, 0);
    const { eventStore } = previewStores(under, characters(1) + characters(2));
    await eventStore.appendPage(pageAt(1));
    await eventStore.appendPage(pageAt(2));
    await expect(eventStore.appendPage(pageAt(3))).rejects.toMatchObject({ code: 'REPAIR_TOO_LARGE' });
    await expect(eventStore.replacePage(pageAt(1))).rejects.toMatchObject({ code: 'REPAIR_TOO_LARGE' });
  });

  test.each([
    [[1, 2], [3], 3],
    [[1, 3], [2], 3],
    [[1], [], 1],
    [[], [1], 1],
    [[], [], undefined],
  ])('%j stored and %j written: the last key is that of page %j', async (stored, written, last) => {
    const { eventStore } = await preview(stored, written);
    expect((await eventStore.lastKeyBelow(DEVICE, Number.MAX_SAFE_INTEGER))?.page).toBe(last);
  });
});

describe('devices of a preview', () => {
  async function twoDevices() {
    const { under, stores } = await preview([1], [2]);
    const [other] = chain(OTHER, 1).pages;
    if (other === undefined) throw new Error('no page');
    await stores.eventStore.appendPage(other);
    return { under, ...stores };
  }

  test('are those with stored pages, and each with written pages alone once', async () => {
    const { eventStore, under } = await twoDevices();
    expect((await Array.fromAsync(eventStore.deviceIds())).toSorted()).toEqual([OTHER, DEVICE].toSorted());
    expect((await Array.fromAsync(eventStore.partitionKeys())).toSorted()).toEqual(
      [OTHER, DEVICE].toSorted(),
    );
    expect(await Array.fromAsync(under.eventStore.deviceIds())).toEqual([DEVICE]);
  });

  test('have the later of the snapshots', async () => {
    const { eventStore, under } = await preview([1, 2, 3]);
    const snapshotAt = (number: number) => {
      const state = stateAt(number);
      return { foldVersion: 1, state, receipts: state.receipts };
    };
    const pageOf = async () => (await eventStore.latestSnapshot(DEVICE, { foldVersion: 1 }))?.state.page;
    expect(await pageOf()).toBeUndefined();
    await eventStore.putSnapshot(snapshotAt(2));
    expect(await pageOf()).toBe(2);
    await under.eventStore.putSnapshot(snapshotAt(1));
    expect(await pageOf()).toBe(2);
    await under.eventStore.putSnapshot(snapshotAt(3));
    expect(await pageOf()).toBe(3);
  });
});

describe('states of a preview', () => {
  test('are what was written, and otherwise what is stored', async () => {
    const { latestState, under } = await preview([]);
    await under.latestState.write(stateAt(1));
    expect(await latestState.read(DEVICE)).toEqual(stateAt(1));
    expect(await latestState.write(stateAt(2))).toEqual({ outcome: 'written' });
    expect(await latestState.read(DEVICE)).toEqual(stateAt(2));
    expect(await latestState.audit(DEVICE)).toEqual({ kind: 'state', state: stateAt(2), faults: [] });
    expect((await latestState.list({ limit: 10 })).devices).toEqual([stateAt(2)]);
    expect(await under.latestState.read(DEVICE)).toEqual(stateAt(1));
  });

  test('are written over earlier ones alone', async () => {
    const { latestState } = await preview([]);
    expect(await latestState.write(stateAt(2))).toEqual({ outcome: 'written' });
    expect(await latestState.write(stateAt(2))).toEqual({ outcome: 'superseded' });
    expect(await latestState.write(stateAt(1))).toEqual({ outcome: 'superseded' });
    expect(await latestState.read(DEVICE)).toEqual(stateAt(2));
  });

  test('are replaced where they are still what was observed', async () => {
    const { latestState, under } = await preview([]);
    expect(await latestState.replace(stateAt(1), 1)).toBe('changed');
    expect(await latestState.replace(stateAt(1), 'none')).toBe('replaced');
    expect(await latestState.replace(stateAt(2), 'none')).toBe('changed');
    expect(await latestState.replace(stateAt(2), 1)).toBe('replaced');
    expect(await latestState.replace(stateAt(3), 'damaged')).toBe('replaced');
    expect(await latestState.read(DEVICE)).toEqual(stateAt(3));
    expect(await under.latestState.read(DEVICE)).toBeUndefined();
  });

  test('name each device once', async () => {
    const { latestState, under } = await preview([]);
    await under.latestState.write(stateAt(1));
    await latestState.write(stateAt(2));
    await latestState.write({ ...stateAt(1), deviceId: OTHER });
    expect(await Array.fromAsync(latestState.partitionKeys())).toEqual([DEVICE, OTHER]);
  });
});

describe('readings of a preview', () => {
  /** A preview over stores of which page 4 cannot be read. */
  async function withDamage() {
    const { under } = await preview([1, 2, 3, 4]);
    const eventStore: AuditableEventStore = {
      ...under.eventStore,
      auditPages: async function* (device, options): AsyncGenerator<AuditedPage> {
        for await (const item of under.eventStore.auditPages(device, options)) {
          const key = item.kind === 'page' && item.page.page === 4 ? item.page : undefined;
          yield key === undefined ? item : { kind: 'damaged', key, code: 'DAMAGED_PAGE', fault: 'cut off' };
        }
      },
    };
    return previewStores({ ...under, eventStore }).eventStore;
  }

  test('of pages fail at an item that cannot be read, where another was replaced', async () => {
    const eventStore = await withDamage();
    await eventStore.replacePage(pageAt(2));
    for (const reading of [eventStore.pages(DEVICE), eventStore.pageSummaries(DEVICE)]) {
      await expect(numbers(reading)).rejects.toMatchObject({
        code: 'DAMAGED_PAGE',
        message: `page of ${DEVICE}: cut off`,
      });
    }
  });

  test('of pages are those of the store below, where none was replaced', async () => {
    const eventStore = await withDamage();
    expect(await numbers(eventStore.pages(DEVICE))).toEqual([1, 2, 3, 4]);
    expect(await numbers(eventStore.pageSummaries(DEVICE))).toEqual([1, 2, 3, 4]);
  });

  test('replace no page that is not there', async () => {
    const { eventStore } = await preview([1, 3]);
    expect(await eventStore.replacePage(pageAt(2))).toBe('changed');
    expect(await numbers(eventStore.pages(DEVICE))).toEqual([1, 3]);
  });

  test('ask whether a page is there consistently', async () => {
    const { under } = await preview([1]);
    const asked: unknown[] = [];
    const eventStore: AuditableEventStore = {
      ...under.eventStore,
      pages: (device, range) => {
        asked.push(range?.consistent);
        return under.eventStore.pages(device, range);
      },
    };
    await previewStores({ ...under, eventStore }).eventStore.appendPage(pageAt(2));
    expect(asked).toEqual([true]);
  });

  test('end with their signal', async () => {
    const { eventStore, latestState, under } = await preview([1], [2]);
    await under.latestState.write(stateAt(1));
    const stopped = AbortSignal.abort(new Error('stopped'));
    const ofEvents = () => [
      Array.fromAsync(eventStore.auditPages(DEVICE, { signal: stopped })),
      eventStore.replacePage(pageAt(1), stopped),
    ];
    for (const reading of ofEvents()) await expect(reading).rejects.toThrow('stopped');
    await expect(latestState.write(stateAt(2), stopped)).rejects.toThrow('stopped');
    await expect(latestState.replace(stateAt(2), 1, stopped)).rejects.toThrow('stopped');
  });

  test('are ended in both stores when their reader ends', async () => {
    const { under } = await preview([1, 3]);
    let isEnded = false;
    const eventStore: AuditableEventStore = {
      ...under.eventStore,
      pages: async function* (device, range) {
        try {
          yield* under.eventStore.pages(device, range);
        } finally {
          isEnded = true;
        }
      },
    };
    for await (const _ of previewStores({ ...under, eventStore }).eventStore.pages(DEVICE)) break;
    expect(isEnded).toBe(true);
  });

  test('of snapshots are those that are stored, and then those that were written', async () => {
    const { eventStore, under } = await preview([1, 2]);
    const snapshotAt = (number: number) => {
      const state = stateAt(number);
      return { foldVersion: 1, state, receipts: state.receipts };
    };
    await under.eventStore.putSnapshot(snapshotAt(2));
    expect((await eventStore.latestSnapshot(DEVICE, { foldVersion: 1 }))?.state.page).toBe(2);
    await eventStore.putSnapshot(snapshotAt(1));
    const found = await Array.fromAsync(eventStore.auditSnapshots(DEVICE, { foldVersion: 1 }));
    expect(found).toMatchObject([{ snapshot: { state: { page: 2 } } }, { snapshot: { state: { page: 1 } } }]);
  });

  test('of keys and states have what is stored alone', async () => {
    const { eventStore, latestState, under } = await preview([1]);
    await under.latestState.write(stateAt(1));
    expect(await Array.fromAsync(eventStore.partitionKeys())).toEqual([DEVICE]);
    expect(await Array.fromAsync(latestState.partitionKeys())).toEqual([DEVICE]);
    expect(await latestState.audit(DEVICE)).toMatchObject({ kind: 'state', state: { page: 1 } });
  });
});
