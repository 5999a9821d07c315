import {
  type DeviceState,
  type EventPage,
  FOLD_VERSION,
  foldPage,
  newDevice,
} from '@twinstream/device-model';
import {
  type AuditableEventStore,
  makeSnapshot,
  memoryEventStore,
  withoutValues,
} from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { beforeEach, describe, expect, test } from 'vitest';
import { type VerificationStores, verifyDevice } from '../src/verify-device.ts';
import { verifyDevices } from '../src/verify-devices.ts';

const PAGES = 6;
const [SHARD] = SHARDS;

let pages: EventPage[];
let state: DeviceState;

beforeEach(async () => {
  const store = memoryEventStore();
  pages = [];
  state = newDevice(DEVICE);
  for (let at = 1; at <= PAGES; at += 1) {
    const arrived = [arrivedEvent({ at, session: 1, counter: at, data: { speed: at } })];
    const written = await writeBatch(store, state, SHARD, arrived);
    pages.push(...written.pages);
    state = written.state;
  }
});

async function storeOf(kept: readonly EventPage[]): Promise<AuditableEventStore> {
  const store = memoryEventStore();
  for (const page of kept) await store.appendPage(page);
  return store;
}

async function tableOf(live: DeviceState | undefined) {
  const table = memoryLatestStateTable();
  if (live !== undefined) await table.write(live);
  return table;
}

async function differencesOf(kept: readonly EventPage[], live: DeviceState | undefined) {
  const stores = { eventStore: await storeOf(kept), latestState: await tableOf(live) };
  const { differences } = await verifyDevice(stores, DEVICE);
  return differences.map(({ kind, subject }) => `${kind} ${subject}`);
}

describe('one device', () => {
  test('without a fault has no difference', async () => {
    expect(await differencesOf(pages, state)).toEqual([]);
  });

  test('lacks exactly the pages that are missing, those at its end included', async () => {
    const kept = pages.filter(({ page }) => ![2, 3, 6].includes(page));
    expect(await differencesOf(kept, state)).toEqual([
      'page-missing page 2',
      'page-missing page 3',
      'page-missing page 6',
    ]);
  });

  test('differs in exactly the attribute that was altered', async () => {
    const speed = state.attributes.get('speed');
    if (speed === undefined) throw new Error('no speed');
    const altered = {
      ...state,
      attributes: new Map([...state.attributes, ['speed', { ...speed, value: 99 }]]),
    };
    expect(await differencesOf(pages, altered)).toEqual(['state-differs attributes.speed']);
  });

  test('lacks its state', async () => {
    expect(await differencesOf(pages, undefined)).toEqual(['state-missing state']);
  });

  test('has a state that cannot be read', async () => {
    const latestState: VerificationStores['latestState'] = {
      ...memoryLatestStateTable(),
      audit: async () => ({ kind: 'damaged', fault: 'the item cannot be read' }),
    };
    const { differences } = await verifyDevice({ eventStore: await storeOf(pages), latestState }, DEVICE);
    expect(differences.map(({ kind }) => kind)).toEqual(['state-damaged']);
  });

  test('has a page at a key that the page before does not give it', async () => {
    const moved = pages.map((page) =>
      page.page === PAGES ? { ...page, arrivalMaxBefore: page.arrivalMaxBefore + 7 } : page,
    );
    expect(await differencesOf(moved, state)).toEqual([`page-key-differs page ${PAGES}`]);
  });

  test('stores an event twice', async () => {
    const [first, second] = pages;
    if (first === undefined || second === undefined) throw new Error('no pages');
    const twice = pages.map((page) => (page === second ? { ...second, events: first.events } : page));
    const found = await differencesOf(
      twice,
      twice.reduce((fold, page) => foldPage(fold, page), newDevice(DEVICE)),
    );
    expect(found).toEqual(['stored-twice event 1.1']);
  });

  test('stores two events of one key within its window', async () => {
    const within = { key: 'k', eventsMax: 2 };
    const chain = [within, undefined, undefined, within, undefined, within].map((key, index) => ({
      ...arrivedEvent({ at: index + 1, key }),
      version: { session: -1, counter: -1, ordinal: index + 1, revision: 0 },
    }));
    const keyed = pages.map((page, index) => ({ ...page, events: chain.slice(index, index + 1) }));
    const found = await differencesOf(
      keyed,
      keyed.reduce((fold, page) => foldPage(fold, page), newDevice(DEVICE)),
    );
    expect(found).toEqual(['stored-twice key k_______________']);
  });

  test('has a snapshot that is not the fold', async () => {
    const eventStore = await storeOf(pages);
    const snapshot = await makeSnapshot(eventStore, state);
    if (snapshot === undefined) throw new Error('no snapshot');
    await eventStore.putSnapshot({ ...snapshot, foldVersion: FOLD_VERSION, state: { ...state, ordinal: 5 } });
    const { differences } = await verifyDevice({ eventStore, latestState: await tableOf(state) }, DEVICE);
    expect(differences.map(({ kind }) => kind)).toEqual(['snapshot-differs']);
  });

  test('has no difference where a snapshot keeps versions alone, and one where these are not those of the fold', async () => {
    const eventStore = await storeOf(pages);
    const snapshot = await makeSnapshot(eventStore, state);
    if (snapshot === undefined) throw new Error('no snapshot');
    const version = { session: 1, counter: 1, ordinal: 0, revision: 0 };
    const old = { ...snapshot, state: { ...state, attributes: new Map([['speed', { version }]]) } };
    for (const [stored, kinds] of [
      [withoutValues(snapshot), []],
      [withoutValues(old), ['snapshot-differs']],
    ] as const) {
      const store = await storeOf(pages);
      await store.putSnapshot(stored);
      const { differences } = await verifyDevice(
        { eventStore: store, latestState: await tableOf(state) },
        DEVICE,
      );
      expect(differences.map(({ kind }) => kind)).toEqual(kinds);
    }
  });

  test('is compared behind a gap from the next snapshot on', async () => {
    const eventStore = await storeOf(pages.filter(({ page }) => page !== 2));
    const whole = await storeOf(pages);
    const at4 = pages.slice(0, 4).reduce((fold, page) => foldPage(fold, page), newDevice(DEVICE));
    const snapshot = await makeSnapshot(whole, at4);
    if (snapshot === undefined) throw new Error('no snapshot');
    await eventStore.putSnapshot(snapshot);
    const altered = { ...state, ordinal: 9 };
    const found = await verifyDevice({ eventStore, latestState: await tableOf(altered) }, DEVICE);
    expect(found.isStateCompared).toBe(true);
    expect(found.differences.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'page-missing page 2',
      'state-differs ordinal',
    ]);
  });
});

describe('devices', () => {
  test('that change while they are looked at show no difference in the end', async () => {
    const eventStore = await storeOf(pages);
    const latestState = await tableOf(undefined);
    const behind = pages.slice(0, -1).reduce((fold, page) => foldPage(fold, page), newDevice(DEVICE));
    await latestState.write(behind);
    const slow = {
      now: () => 0,
      sleep: async () => {
        await latestState.write(state);
      },
    };
    const { differences } = await verifyDevices({ eventStore, latestState }, [DEVICE], { clock: slow });
    expect(differences).toEqual([]);
  });
});
