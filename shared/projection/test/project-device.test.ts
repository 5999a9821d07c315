import {
  type ArrivedEvent,
  type DeviceState,
  type EventPage,
  FOLD_VERSION,
  foldPage,
  newDevice,
  PAGE_LIMITS,
} from '@twinstream/device-model';
import { type AuditableEventStore, memoryEventStore } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { countingEventStore } from '@twinstream/event-store/contract/counting-event-store';
import {
  type LatestStateTable,
  memoryLatestStateTable,
  type StateReadOptions,
} from '@twinstream/latest-state';
import { CodedError, createLogger } from '@twinstream/runtime';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { durableHead, HeadCache } from '../src/head-cache.ts';
import {
  type ProjectDeviceServices,
  projectDevice,
  REFUSED_STATE_PAGES_PER_SNAPSHOT,
} from '../src/project-device.ts';

const [SHARD, OTHER_SHARD] = SHARDS;
const LIVE = new AbortController().signal;

const counted = (at: number) => arrivedEvent({ at, session: 1, counter: at });
/** A correction of what the device says in this counter. */
const correctionOf = (at: number, counter: number) =>
  arrivedEvent({ at, correctionId: `c-${at}`, corrects: { session: 1, counter } });

/** A device in memory, whose stores a test may replace in part. */
function device(
  replaced: {
    readonly eventStore?: Partial<AuditableEventStore>;
    readonly latestState?: Partial<LatestStateTable>;
  } = {},
) {
  const memory = memoryEventStore();
  const eventStore = countingEventStore({ ...memory, ...replaced.eventStore });
  const table = memoryLatestStateTable();
  const calls = { append: 0, read: 0, write: 0, pages: 0 };
  const logged: Record<string, unknown>[] = [];
  const logger = createLogger('test', 'warn', { write: (line) => logged.push(JSON.parse(line)) });
  const latestState: LatestStateTable = {
    ...table,
    read: async (...query) => {
      calls.read += 1;
      return await (replaced.latestState?.read ?? table.read)(...query);
    },
    write: async (...query) => {
      calls.write += 1;
      return await (replaced.latestState?.write ?? table.write)(...query);
    },
  };
  const services: Omit<ProjectDeviceServices, 'heads'> = {
    eventStore: {
      ...eventStore,
      appendPage: async (...query) => {
        calls.append += 1;
        return await eventStore.appendPage(...query);
      },
      pages: (...query) => {
        calls.pages += 1;
        return eventStore.pages(...query);
      },
    },
    latestState,
    logger,
    pageLimits: { ...PAGE_LIMITS, eventsMax: 1 },
    pagesPerSnapshot: 1_000,
  };
  return {
    ...{ memory, table, calls, logged, counts: eventStore.counts },
    /** One call as the projector makes it: in a container that has these heads. */
    project: (
      arrived: readonly ArrivedEvent[],
      heads = new HeadCache(10),
      changes: Partial<ProjectDeviceServices> = {},
      signal = LIVE,
    ) => {
      const [first] = arrived;
      if (first === undefined) throw new TypeError('no event');
      const batch = { deviceId: DEVICE, shardId: SHARD, arrived, from: first.place.sequenceNumber };
      return projectDevice({ ...services, heads, ...changes }, batch, signal);
    },
    pages: () => Array.fromAsync(memory.pages(DEVICE)),
    snapshotPages: async () => {
      const found: number[] = [];
      for await (const audited of memory.auditSnapshots(DEVICE, { foldVersion: FOLD_VERSION }))
        if (audited.kind === 'snapshot') found.push(audited.snapshot.state.page);
      return found;
    },
    /** What another container appends, a page for each event; it writes no state. */
    others: async (arrived: readonly ArrivedEvent[], shard = OTHER_SHARD): Promise<DeviceState> => {
      let state = newDevice(DEVICE);
      for await (const page of memory.pages(DEVICE)) state = foldPage(state, page);
      const limits = { ...PAGE_LIMITS, eventsMax: 1 };
      return (await writeBatch(memory, state, shard, arrived, { limits })).state;
    },
  };
}

const eventsOf = (pages: readonly EventPage[]) =>
  pages.flatMap(({ events }) => events.map(({ place }) => place.sequenceNumber));
const placesOf = (...arrived: readonly ArrivedEvent[]) => arrived.map(({ place }) => place.sequenceNumber);

describe('the report of a device', () => {
  test('counts pages, what was read and whether the head was remembered', async () => {
    const { project } = device();
    const heads = new HeadCache(10);
    const none = { conflicts: 0, historyReads: 0, snapshots: 0, stateRejected: false, refused: [] };
    expect(await project([counted(1), counted(2)], heads)).toMatchObject({
      ...none,
      pages: 2,
      headHit: false,
    });
    expect(await project([counted(3)], heads)).toMatchObject({ ...none, pages: 1, headHit: true });
  });

  test('adds up the units of all writes, and is zero where the stores tell none', async () => {
    const appendPage: AuditableEventStore['appendPage'] = async () => ({
      outcome: 'appended',
      writeUnits: 3,
    });
    const write: LatestStateTable['write'] = async () => ({ outcome: 'written', writeUnits: 7 });
    const told = device({ eventStore: { appendPage }, latestState: { write } });
    expect((await told.project([counted(1), counted(2)])).writeUnits).toBe(13);
    expect((await device().project([counted(1)])).writeUnits).toBe(0);
  });

  test('leaves a head that is where chain and state item are', async () => {
    const { project, table } = device();
    const heads = new HeadCache(10);
    await project([counted(1), counted(2)], heads);
    const state = await table.read(DEVICE);
    expect(heads.take(DEVICE)).toEqual(durableHead(state ?? newDevice(DEVICE)));
  });
});

test('events are marked as repaired where a repair projects them alone', async () => {
  const { project, pages } = device();
  await project([counted(1)]);
  await project([counted(2)], new HeadCache(10), { repaired: true });
  expect((await pages()).flatMap(({ events }) => events.map(({ repaired }) => repaired ?? false))).toEqual([
    false,
    true,
  ]);
});

test('what is stored already writes nothing, the state item included', async () => {
  const { project, calls } = device();
  await project([counted(1)]);
  const before = { ...calls };
  expect(await project([counted(1)])).toMatchObject({ pages: 0, stateRejected: false });
  expect(calls).toMatchObject({ append: before.append, write: before.write });
});

describe('the signal of the caller', () => {
  test('reaches every call of the stores, and the state item is read consistently', async () => {
    const signals: unknown[] = [];
    const options: (StateReadOptions | undefined)[] = [];
    const memory = memoryEventStore();
    const table = memoryLatestStateTable();
    const { project } = device({
      eventStore: {
        appendPage: (page, signal) => {
          signals.push(signal);
          return memory.appendPage(page, signal);
        },
        latestSnapshot: (id, query) => {
          signals.push(query.signal);
          return memory.latestSnapshot(id, query);
        },
        pageSummaries: (id, range) => {
          signals.push(range?.signal);
          return memory.pageSummaries(id, range);
        },
        putSnapshot: (snapshot, signal) => {
          signals.push(signal);
          return memory.putSnapshot(snapshot, signal);
        },
      },
      latestState: {
        read: (id, query) => {
          options.push(query);
          return table.read(id, query);
        },
        write: (state, signal) => {
          signals.push(signal);
          return table.write(state, signal);
        },
      },
    });
    const { snapshots } = await project([counted(1)], new HeadCache(10), { pagesPerSnapshot: 1 });
    expect(snapshots).toBe(1);
    expect(signals).toEqual(Array.from({ length: 5 }, () => LIVE));
    expect(options).toEqual([{ consistent: true, signal: LIVE }]);
  });

  test('ends the work before the next page, whatever the stores make of it', async () => {
    const stopping = new AbortController();
    const memory = memoryEventStore();
    const { project } = device({
      eventStore: {
        appendPage: (page) => {
          stopping.abort(new Error('the deadline'));
          return memory.appendPage(page);
        },
      },
    });
    const events = [counted(1), counted(2)];
    await expect(project(events, new HeadCache(10), {}, stopping.signal)).rejects.toThrow('the deadline');
    expect(await Array.fromAsync(memory.pages(DEVICE))).toHaveLength(1);
  });
});

describe('a state item that cannot be read', () => {
  const failing = (error: Error) =>
    device({
      latestState: {
        read: async () => {
          throw error;
        },
      },
    });

  test('is built again from the chain, and reported', async () => {
    const broken = failing(new CodedError('DAMAGED_STATE', 'the item has no page'));
    await broken.others([counted(1), counted(2), counted(3)]);
    expect(await broken.project([counted(4)])).toMatchObject({ pages: 1, outcomes: { applied: 1 } });
    expect((await broken.table.read(DEVICE))?.page).toBe(4);
    expect(broken.logged[0]).toMatchObject({
      code: 'DAMAGED_STATE',
      deviceId: DEVICE,
      error: { message: 'the item has no page' },
      msg: 'state item unreadable; rebuilding from the event chain',
    });
  });

  test.each([
    ['a store that is away', new CodedError('THROTTLED', 'slow down', { retryable: true })],
    ['a fault of the program', new TypeError('undefined is not a function')],
  ])('because of %s fails the device', async (_, error) => {
    const broken = failing(error);
    await expect(broken.project([counted(1)])).rejects.toBe(error);
    expect(await broken.pages()).toEqual([]);
    expect(broken.logged).toEqual([]);
  });
});

describe('pages of other writers', () => {
  /** A container that knows the first page, and others that have gone on. */
  async function behind(...events: readonly ArrivedEvent[]) {
    const it = device();
    const heads = new HeadCache(10);
    await it.project([counted(1)], heads);
    const state = await it.others(events);
    Object.assign(it.calls, { append: 0, read: 0, write: 0, pages: 0 });
    Object.assign(it.counts, { pages: 0 });
    return { ...it, heads, state };
  }

  test('are folded from the conflict itself while it is one', async () => {
    const { project, heads, calls } = await behind(counted(2));
    expect(await project([counted(3)], heads)).toMatchObject({ conflicts: 1, pages: 1 });
    expect(calls).toMatchObject({ append: 2, read: 0, pages: 0 });
  });

  test('are read together from the second conflict in a row on, from the state item where it is ahead', async () => {
    const others = [2, 3, 4, 5, 6].map(counted);
    const item = await behind(...others);
    await item.table.write(item.state);
    expect(await item.project([counted(7)], item.heads)).toMatchObject({ conflicts: 2, pages: 1 });
    expect({ ...item.calls, ...item.counts }).toMatchObject({ append: 3, read: 1, pages: 0 });

    const stale = await behind(...others);
    expect(await stale.project([counted(7)], stale.heads)).toMatchObject({ conflicts: 2, pages: 1 });
    // Pages 4 to 6: the state item is that of page 1, before what the conflicts have shown.
    expect({ ...stale.calls, ...stale.counts }).toMatchObject({ append: 3, read: 1, pages: 3 });
  });

  test('are read together where there is no state item', async () => {
    const { others, project, pages } = device();
    await others([1, 2, 3].map(counted));
    expect(await project([counted(4)])).toMatchObject({ conflicts: 2, pages: 1 });
    expect(eventsOf(await pages())).toEqual(placesOf(...[1, 2, 3, 4].map(counted)));
  });
});

describe('a correction', () => {
  test('of what others have stored is taken, though neither memory nor the state item has come to it', async () => {
    const { project, others } = device();
    const heads = new HeadCache(10);
    await project([counted(1)], heads);
    await others([counted(5)]);
    expect(await project([correctionOf(6, 5)], heads)).toMatchObject({ refused: [], pages: 1 });
  });

  test('is judged by the last page, and not by one that a conflict has shown', async () => {
    const memory = memoryEventStore();
    let isFirst = true;
    const it = device({
      eventStore: {
        ...memory,
        // Another container with the same batch comes between, and goes on.
        appendPage: async (page, signal) => {
          const result = await memory.appendPage(page, signal);
          if (!isFirst) return result;
          isFirst = false;
          const state = foldPage(newDevice(DEVICE), page);
          const limits = { ...PAGE_LIMITS, eventsMax: 1 };
          const next = await writeBatch(memory, state, SHARD, [counted(2)], { limits });
          await writeBatch(memory, next.state, OTHER_SHARD, [counted(5)], { limits });
          return result;
        },
      },
    });
    const report = await it.project([counted(1), counted(2), correctionOf(6, 5)]);
    expect(report).toMatchObject({ refused: [], conflicts: 1, outcomes: { redelivered: 1 } });
  });

  test('ahead of the last page is refused, without another look at a chain that this container has written', async () => {
    const { project, calls } = device();
    const correction = correctionOf(2, 9);
    const report = await project([counted(1), correction]);
    expect(report.refused).toMatchObject([{ arrived: { place: correction.place } }]);
    expect(calls).toMatchObject({ append: 1, pages: 0 });
  });

  test('ahead of a page that comes to stand is refused without a look at the rest of the chain', async () => {
    const { project, calls } = device();
    const heads = new HeadCache(10);
    await project([counted(1)], heads);
    const report = await project([counted(2), correctionOf(3, 9)], heads, { pageLimits: PAGE_LIMITS });
    expect(report).toMatchObject({ pages: 1, conflicts: 0, refused: [{ rejected: 'correction-ahead' }] });
    expect(calls.pages).toBe(0);
  });

  test('ahead of its device is taken by a repair: another acceptance has decided', async () => {
    const { project } = device();
    expect(await project([correctionOf(1, 9)], new HeadCache(10), { acceptsAhead: true })).toMatchObject({
      refused: [],
      pages: 1,
    });
  });

  test('that is stored already is settled without a look at the rest of the chain', async () => {
    const { project, calls } = device();
    await project([counted(1), correctionOf(2, 1)]);
    Object.assign(calls, { pages: 0 });
    expect(await project([counted(1), correctionOf(2, 1)])).toMatchObject({ refused: [], pages: 0 });
    expect(calls.pages).toBe(0);
  });
});

describe('a snapshot', () => {
  const each = (pagesPerSnapshot: number) => ({ pagesPerSnapshot });
  const four = [1, 2, 3, 4].map(counted);

  test('stands after every page whose number is a multiple, and one that stands there is not counted', async () => {
    const { project, snapshotPages } = device();
    expect((await project(four, new HeadCache(10), each(2))).snapshots).toBe(2);
    expect(await snapshotPages()).toEqual([2, 4]);
    const there = device({ eventStore: { putSnapshot: async () => 'exists' } });
    expect((await there.project(four, new HeadCache(10), each(2))).snapshots).toBe(0);
  });

  test('that cannot be written is reported, and holds nobody up', async () => {
    const error = new Error('away');
    const putSnapshot = async () => {
      throw error;
    };
    const { project, logged, table } = device({ eventStore: { putSnapshot } });
    const report = await project(four, new HeadCache(10), each(4));
    expect(report).toMatchObject({ snapshots: 0, pages: 4, stateRejected: false });
    expect(logged).toMatchObject([
      { msg: 'snapshot failed', deviceId: DEVICE, page: 4, error: { message: 'away' } },
    ]);
    expect((await table.read(DEVICE))?.page).toBe(4);
  });
});

describe('a device whose state the table refuses', () => {
  const refusing: LatestStateTable['write'] = async () => {
    throw new CodedError('STATE_TOO_LARGE', 'too large');
  };

  async function grow(it: ReturnType<typeof device>, count: number): Promise<HeadCache> {
    const heads = new HeadCache(10);
    for (let at = 1; at <= count; at += 1) {
      expect((await it.project([counted(at)], heads)).stateRejected).toBe(true);
    }
    return heads;
  }

  test('is reported with its page', async () => {
    const it = device({ latestState: { write: refusing } });
    await grow(it, 1);
    expect(it.logged).toMatchObject([
      {
        msg: 'state rejected',
        code: 'STATE_TOO_LARGE',
        deviceId: DEVICE,
        page: 1,
        error: { message: 'too large' },
      },
    ]);
  });

  test('has a snapshot each time that many pages have come since the last one, and none sooner', async () => {
    const it = device({ latestState: { write: refusing } });
    await grow(it, 2 * REFUSED_STATE_PAGES_PER_SNAPSHOT + 3);
    expect(await it.snapshotPages()).toEqual([
      REFUSED_STATE_PAGES_PER_SNAPSHOT,
      2 * REFUSED_STATE_PAGES_PER_SNAPSHOT,
    ]);
  });

  test('is reported, too, where only a snapshot without values is left of it', async () => {
    const it = device();
    const heads = new HeadCache(10);
    const page = 3;
    heads.put({
      ...{ statePage: 1, basePage: 1, valuesOmitted: true },
      state: { ...newDevice(DEVICE), page },
    });
    expect((await it.project([counted(1)], heads)).stateRejected).toBe(true);
    expect(it.calls.write).toBe(0);
    expect(it.logged).toMatchObject([
      { msg: 'state rejected', code: 'STATE_TOO_LARGE', deviceId: DEVICE, page: page + 1 },
    ]);
  });

  test('is asked for a snapshot again with the next page where no item can hold it yet', async () => {
    let puts = 0;
    const putSnapshot = async () => {
      puts += 1;
      return 'too-large' as const;
    };
    const it = device({ latestState: { write: refusing }, eventStore: { putSnapshot } });
    await grow(it, REFUSED_STATE_PAGES_PER_SNAPSHOT + 3);
    expect(puts).toBe(4);
  });

  test('is not asked for a snapshot again where another container has written it', async () => {
    let puts = 0;
    const putSnapshot = async () => {
      puts += 1;
      return 'exists' as const;
    };
    const it = device({ latestState: { write: refusing }, eventStore: { putSnapshot } });
    await grow(it, REFUSED_STATE_PAGES_PER_SNAPSHOT + 3);
    expect(puts).toBe(1);
  });
});
