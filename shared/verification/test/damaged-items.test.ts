import {
  type DeviceState,
  type EventPage,
  FOLD_VERSION,
  foldPage,
  newDevice,
} from '@twinstream/device-model';
import {
  type AuditedPage,
  type AuditedSnapshot,
  makeSnapshot,
  memoryEventStore,
  type Snapshot,
  withoutValues,
} from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import type { AuditedState } from '@twinstream/latest-state';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { beforeEach, describe, expect, test } from 'vitest';
import { verifyDevice } from '../src/verify-device.ts';

const [SHARD] = SHARDS;
const PAGES = 4;
const RANGE_PAGES = 1_001;

let pages: EventPage[];
let state: DeviceState;

beforeEach(async () => {
  const store = memoryEventStore();
  pages = [];
  state = newDevice(DEVICE);
  for (let at = 1; at <= PAGES; at += 1) {
    const written = await writeBatch(store, state, SHARD, [
      arrivedEvent({ at, session: 1, counter: at, data: { speed: at } }),
    ]);
    pages.push(...written.pages);
    state = written.state;
  }
});

const sound = (page: EventPage): AuditedPage => ({ kind: 'page', page, faults: [] });
const stateAt = (last: number) =>
  pages.slice(0, last).reduce((fold, page) => foldPage(fold, page), newDevice(DEVICE));
const foreign = { kind: 'foreign', key: 'someone' } as const;

async function snapshotAt(last: number): Promise<Snapshot> {
  const store = memoryEventStore();
  for (const page of pages) await store.appendPage(page);
  const snapshot = await makeSnapshot(store, stateAt(last));
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}
const ofSnapshot = (snapshot: Snapshot): AuditedSnapshot => ({ kind: 'snapshot', snapshot, faults: [] });

interface Stored {
  readonly pages?: readonly AuditedPage[];
  readonly snapshots?: readonly AuditedSnapshot[];
  readonly live?: readonly AuditedState[];
  readonly bytes?: number;
  readonly onSignal?: (signal: AbortSignal | undefined) => void;
  readonly signal?: AbortSignal;
}

/** Verifies a device of which the stores say this; the live item is looked at in turn, the last look stays. */
function verified({
  pages: audited = pages.map(sound),
  snapshots = [],
  live,
  bytes = 100,
  onSignal,
  signal,
}: Stored) {
  const looks = [...(live ?? [{ kind: 'state', state, faults: [] } as const])];
  const stores = {
    eventStore: {
      auditPages: async function* (_: unknown, options?: { signal?: AbortSignal | undefined }) {
        onSignal?.(options?.signal);
        yield* audited;
      },
      auditSnapshots: async function* (
        _: unknown,
        options: { signal?: AbortSignal | undefined; foldVersion: number },
      ) {
        onSignal?.(options.signal);
        expect(options.foldVersion).toBe(FOLD_VERSION);
        yield* snapshots;
      },
    },
    latestState: {
      audit: async (_: unknown, given?: AbortSignal) => {
        onSignal?.(given);
        const [next] = looks.length > 1 ? looks.splice(0, 1) : looks;
        return next ?? ({ kind: 'none' } as const);
      },
      sizeOf: () => ({ bytes, bytesMax: 100 }),
    },
  };
  return verifyDevice(stores, DEVICE, signal === undefined ? {} : { signal });
}

const differencesOf = async (stored: Stored) =>
  (await verified(stored)).differences.map(
    ({ kind, subject, expected, found }) => `${kind} | ${subject} | ${expected} | ${found}`,
  );
const without = (...numbers: readonly number[]) =>
  pages.filter(({ page }) => !numbers.includes(page)).map(sound);
const liveOf = (of: DeviceState): AuditedState => ({ kind: 'state', state: of, faults: [] });

describe('a page', () => {
  test('of another sort key is foreign, is named, and counts as none', async () => {
    const { differences, pageCount, eventCount } = await verified({ pages: [foreign, ...pages.map(sound)] });
    expect(differences).toEqual([
      {
        deviceId: DEVICE,
        kind: 'item-foreign',
        subject: 'someone',
        expected: 'a page or a snapshot',
        found: 'another sort key',
      },
    ]);
    expect({ pageCount, eventCount }).toEqual({ pageCount: PAGES, eventCount: PAGES });
  });

  test('that cannot be read is named with its fault, counts, and leaves the state uncompared', async () => {
    const damaged = pages.map(
      (page): AuditedPage =>
        page.page === 2
          ? { kind: 'damaged', key: page, code: 'DAMAGED_PAGE', fault: 'no JSON' }
          : sound(page),
    );
    const { differences, pageCount, isStateCompared } = await verified({ pages: damaged });
    expect(differences.map(({ kind, subject, found }) => [kind, subject, found])).toEqual([
      ['page-damaged', 'page 2', 'DAMAGED_PAGE: no JSON'],
    ]);
    expect({ pageCount, isStateCompared }).toEqual({ pageCount: PAGES, isStateCompared: false });
  });

  test('whose attributes do not say what its body says is named with each', async () => {
    const faults = [{ attribute: 'arrivalMax', expected: '1', found: '2' }];
    const audited = pages.map(
      (page) => ({ ...sound(page), faults: page.page === 3 ? faults : [] }) as AuditedPage,
    );
    expect(await differencesOf({ pages: audited })).toEqual([
      'page-attribute-differs | page 3 arrivalMax | 1 | 2',
    ]);
  });

  test('number that comes twice has two keys, and its events are entered once', async () => {
    const second = { ...pages[1], arrivalMaxBefore: 77 } as EventPage;
    const { differences, eventCount } = await verified({
      pages: pages.flatMap((page) => (page.page === 2 ? [sound(page), sound(second)] : [sound(page)])),
    });
    expect(differences).toEqual([
      {
        deviceId: DEVICE,
        kind: 'page-key-differs',
        subject: 'page 2',
        expected: 'one key',
        found: 'twice, the second at 77',
      },
    ]);
    expect(eventCount).toBe(PAGES);
  });

  test('at a wrong key is named with the key that follows from the page before', async () => {
    const moved = pages.map((page) => sound(page.page === PAGES ? { ...page, arrivalMaxBefore: 99 } : page));
    const [difference = ''] = await differencesOf({ pages: moved });
    expect(difference).toBe(`page-key-differs | page ${PAGES} | ${stateAt(PAGES - 1).arrivalMax} | 99`);
  });

  test('that is missing is one of a range where a thousand and more are missing in a row', async () => {
    const far = (count: number) => differencesOf({ pages: [], live: [liveOf({ ...state, page: count })] });
    expect(await far(RANGE_PAGES - 1)).toHaveLength(RANGE_PAGES - 1);
    expect(await far(RANGE_PAGES)).toEqual([
      `page-missing | pages 1 to ${RANGE_PAGES} | ${RANGE_PAGES} pages | none`,
    ]);
  });
});

describe('a snapshot', () => {
  test('of another sort key, or that cannot be read, is named, and nothing else', async () => {
    const snapshots: AuditedSnapshot[] = [foreign, { kind: 'damaged', key: 'k', page: 2, fault: 'no JSON' }];
    expect(await differencesOf({ snapshots })).toEqual([
      'item-foreign | someone | a page or a snapshot | another sort key',
      'snapshot-damaged | snapshot of page 2 | a snapshot | no JSON',
    ]);
  });

  test('whose attributes do not say what its body says is named with each', async () => {
    const faults = [{ attribute: 'foldVersion', expected: '1', found: '2' }];
    const snapshots = [{ kind: 'snapshot', snapshot: await snapshotAt(2), faults } as const];
    expect(await differencesOf({ snapshots })).toEqual([
      'snapshot-attribute-differs | snapshot of page 2 foldVersion | 1 | 2',
    ]);
  });

  test('that is the fold has no difference, with values or without', async () => {
    const snapshot = await snapshotAt(2);
    expect(
      await differencesOf({ snapshots: [ofSnapshot(snapshot), ofSnapshot(withoutValues(snapshot))] }),
    ).toEqual([]);
  });

  test('of a page after the last one has nothing to be compared with', async () => {
    const snapshot = await snapshotAt(3);
    const snapshots = [ofSnapshot({ ...snapshot, state: { ...snapshot.state, page: 9 } })];
    expect(await differencesOf({ snapshots })).toEqual([
      `snapshot-differs | snapshot of page 9 | a page | the chain ends at page ${PAGES}`,
    ]);
  });

  test('that has received other events than the chain differs in its receipts alone', async () => {
    const snapshot = await snapshotAt(2);
    const receipts = { ...snapshot.receipts, correctionsDropped: 1 };
    const differences = await differencesOf({ snapshots: [ofSnapshot({ ...snapshot, receipts })] });
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatch(
      /^snapshot-differs \| snapshot of page 2 complete receipts \| .*"correctionsDropped":0.* \| .*"correctionsDropped":1/,
    );
  });

  test('has the latest device time of its events, or none', async () => {
    const snapshot = await snapshotAt(2);
    const { eventTimeMax, ...untimed } = snapshot;
    if (eventTimeMax === undefined) throw new Error('no time');
    expect(await differencesOf({ snapshots: [ofSnapshot(untimed)] })).toEqual([]);
    expect(await differencesOf({ snapshots: [ofSnapshot({ ...snapshot, eventTimeMax: 5 })] })).toEqual([
      `snapshot-attribute-differs | snapshot of page 2 eventTimeMax | ${eventTimeMax} | 5`,
    ]);
  });

  test('of the last missing page gives a sound start again, one without values none', async () => {
    const snapshot = await snapshotAt(2);
    const altered = liveOf({ ...state, ordinal: 9 });
    const missing = 'page-missing | page 2 | a page | none';
    expect(
      await differencesOf({ pages: without(2), snapshots: [ofSnapshot(snapshot)], live: [altered] }),
    ).toEqual([missing, 'state-differs | ordinal | 0 | 9']);
    const valueless = {
      pages: without(2),
      snapshots: [ofSnapshot(withoutValues(snapshot))],
      live: [altered],
    };
    expect(await differencesOf(valueless)).toEqual([missing]);
    expect((await verified(valueless)).isStateCompared).toBe(false);
  });

  test('without values of a page after a gap gives no start either', async () => {
    const snapshots = [ofSnapshot(withoutValues(await snapshotAt(3)))];
    const valueless = { pages: without(2), snapshots, live: [liveOf({ ...state, ordinal: 9 })] };
    expect(await differencesOf(valueless)).toEqual(['page-missing | page 2 | a page | none']);
    expect((await verified(valueless)).isStateCompared).toBe(false);
  });

  test('that gave a start after a gap is not what an older state item is compared with', async () => {
    const asked = { pages: without(2), snapshots: [ofSnapshot(await snapshotAt(2))] };
    expect(await differencesOf({ ...asked, live: [liveOf(stateAt(1)), liveOf(state)] })).toEqual([
      'page-missing | page 2 | a page | none',
    ]);
  });

  test('that gave a start carries its receipts and its latest time on to the next one', async () => {
    const [second, third] = [await snapshotAt(2), await snapshotAt(3)];
    const resumed = { pages: without(1, 2), live: [liveOf(state)] };
    const missing = ['page-missing | page 1 | a page | none', 'page-missing | page 2 | a page | none'];
    expect(await differencesOf({ ...resumed, snapshots: [second, third].map(ofSnapshot) })).toEqual(missing);
    const { eventTimeMax: _, ...untimed } = second;
    const late = { ...third, eventTimeMax: 5 };
    expect(await differencesOf({ ...resumed, snapshots: [untimed, late].map(ofSnapshot) })).toEqual(missing);
    expect(await differencesOf({ ...resumed, snapshots: [second, late].map(ofSnapshot) })).toHaveLength(3);
  });
});

describe('the state item', () => {
  test('whose attributes do not follow from the others is named with each', async () => {
    const faults = [{ attribute: 'site', expected: 'a', found: 'b' }];
    expect(await differencesOf({ live: [{ kind: 'state', state, faults }] })).toEqual([
      'state-attribute-differs | site | a | b',
    ]);
  });

  test('is missing, or refused where no item can hold it: at the bound it can', async () => {
    const none = [{ kind: 'none' } as const];
    expect(await differencesOf({ live: none })).toEqual([`state-missing | state | page ${PAGES} | no item`]);
    expect(await differencesOf({ live: none, bytes: 101 })).toEqual([
      `state-refused | state | page ${PAGES} | no item: the state takes 101 bytes, an item holds 100`,
    ]);
    expect(await differencesOf({ live: none, pages: [] })).toEqual([]);
  });

  test('of an earlier page is compared with the fold to that page, and is looked at again before it counts as old', async () => {
    const old = liveOf(stateAt(3));
    expect(await differencesOf({ live: [old] })).toEqual([`state-differs | page | page ${PAGES} | page 3`]);
    expect(await differencesOf({ live: [old], bytes: 101 })).toEqual([
      `state-refused | state | page ${PAGES} | page 3: the state takes 101 bytes, an item holds 100`,
    ]);
    expect(await differencesOf({ live: [old, liveOf(state)] })).toEqual([]);
    expect(await differencesOf({ live: [old, { kind: 'none' }] })).toEqual([]);
    expect(await differencesOf({ live: [liveOf({ ...stateAt(3), ordinal: 9 }), liveOf(state)] })).toEqual([
      'state-differs | ordinal | 0 | 9',
    ]);
  });

  test('of a page among missing ones is not compared, and is where a snapshot of it is there', async () => {
    const missing = 'page-missing | page 2 | a page | none';
    const live = [liveOf({ ...stateAt(2), ordinal: 9 }), liveOf(state)];
    const snapshots = [ofSnapshot(await snapshotAt(3))];
    expect(await differencesOf({ pages: without(2), snapshots, live })).toEqual([missing]);
    expect(
      await differencesOf({ pages: without(2), snapshots: [ofSnapshot(await snapshotAt(2))], live }),
    ).toEqual([missing, 'state-differs | ordinal | 0 | 9']);
  });
});

test('a state item that is up to date is read once', async () => {
  let reads = 0;
  const { signal } = new AbortController();
  await verified({
    signal,
    onSignal: () => {
      reads += 1;
    },
  });
  // The item, the snapshots and the pages.
  expect(reads).toBe(3);
});

test('every read of a device is under the signal of the caller', async () => {
  const { signal } = new AbortController();
  const given: unknown[] = [];
  await verified({ signal, onSignal: (each) => given.push(each), live: [liveOf(stateAt(3))] });
  expect(given).toEqual([signal, signal, signal, signal]);
});
