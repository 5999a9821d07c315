import { setImmediate } from 'node:timers/promises';
import {
  type DeviceId,
  type EventPage,
  newDevice,
  planPage,
  STATE_RECEIPT_LIMITS,
} from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { missingRuns } from '../../../src/replay/repair/missing-run.ts';
import {
  damagedChains,
  gatherMissing,
  missingPageCount,
  restoreChain,
} from '../../../src/replay/repair/survey.ts';
import { noCounts } from '../../../src/replay/replay-job.ts';
import { memoryStores, recordedEntries } from '../memory-replay.ts';
import { plainChain } from './chains.ts';

const { signal } = new AbortController();

describe('a survey', () => {
  test('ends with the first failure, also while devices are still being listed', async () => {
    const stores = memoryStores();
    const throttled = new CodedError('DYNAMODB_THROTTLED', 'throttled', { retryable: true });
    const failing = {
      eventStore: {
        ...stores.eventStore,
        partitionKeys: async function* () {
          yield 'bus-1' as DeviceId;
          // By now the look at bus-1 has failed, and nobody waits for it yet.
          await setImmediate();
          yield 'bus-2' as DeviceId;
        },
      },
      latestState: { ...stores.latestState, audit: () => Promise.reject(throttled) },
    };
    const onFailure = (_: DeviceId, error: unknown) => {
      throw error;
    };
    await expect(
      damagedChains(failing, undefined, { signal, onFailure, onMisdescribed: async () => undefined }),
    ).rejects.toBe(throttled);
  });
});

describe('a chain that is restored', () => {
  const event = arrivedEvent({
    at: 1,
    arrivalTime: TEST_TIME_MS,
    session: 1,
    counter: 1,
    data: { value: 1 },
  });
  const options = { limits: STATE_RECEIPT_LIMITS, signal };

  function firstPage(): EventPage {
    const plan = planPage(newDevice(DEVICE), SHARDS[0], [event]);
    if (plan.kind !== 'page') throw new Error(plan.kind);
    return plan.page;
  }

  const damage = { deviceId: DEVICE, pages: [], unreadable: [], runs: missingRuns([], 1) };
  const source = [{ shardId: SHARDS[0], arrived: event }];

  test('may meet its own page, put by a request whose answer was lost', async () => {
    const stores = memoryStores();
    await stores.eventStore.appendPage(firstPage());
    expect(await restoreChain(stores, damage, source, options)).toBe(1);
  });

  test('is left alone where somebody else put another page', async () => {
    const stores = memoryStores();
    await stores.eventStore.appendPage({ ...firstPage(), duplicates: 1 });
    await expect(restoreChain(stores, damage, source, options)).rejects.toMatchObject({
      code: 'CHAIN_CHANGED',
    });
  });
});

describe('damaged chains', () => {
  const options = {
    signal,
    onFailure: (_: DeviceId, error: unknown) => raise(error),
    onMisdescribed: async () => undefined,
  };
  function raise(error: unknown): never {
    throw error;
  }

  /** A store in which every third of these devices has lost its first page. */
  async function fleet(deviceCount: number) {
    const stores = memoryStores();
    for (let number = 0; number < deviceCount; number += 1) {
      const device = `bus-${number}` as DeviceId;
      for (const page of plainChain(2).pages) {
        if (number % 3 !== 0 || page.page !== 1)
          await stores.eventStore.appendPage({ ...page, deviceId: device });
      }
    }
    return stores;
  }

  test('are found of all devices, more than are looked at before the next are listed', async () => {
    const stores = await fleet(150);
    const damaged = await damagedChains(stores, undefined, options);
    expect(damaged.missing.size).toBe(50);
    expect(missingPageCount(damaged)).toBe(50);
    expect(damaged.of('bus-3' as DeviceId).runs).toMatchObject([{ firstPage: 1, lastPage: 1 }]);
    expect(() => damaged.of('bus-1' as DeviceId)).toThrow('bus-1 is not damaged');
    damaged.close();
  });

  test('are looked for of the named devices alone', async () => {
    const damaged = await damagedChains(await fleet(9), ['bus-1', 'bus-3'] as DeviceId[], options);
    expect([...damaged.missing.keys()]).toEqual(['bus-3']);
    damaged.close();
  });

  test('are counted by their pages, of every run', async () => {
    const { pages, state } = plainChain(9);
    const left = pages.filter(({ page }) => [1, 4, 6].includes(page));
    const missing = new Map([[DEVICE, missingRuns(left, state.page)]]);
    // 2 and 3, 5, 7 to 9.
    expect(missingPageCount({ missing })).toBe(6);
    expect(missingPageCount({ missing: new Map() })).toBe(0);
  });

  test('are passed over where one cannot be surveyed, which is told', async () => {
    const stores = await fleet(6);
    const failed: unknown[] = [];
    const broken = {
      ...stores,
      latestState: {
        ...stores.latestState,
        audit: (device: DeviceId) =>
          device === 'bus-3' ? Promise.reject(new Error('broken')) : stores.latestState.audit(device),
      },
    };
    const damaged = await damagedChains(broken, undefined, {
      ...options,
      onFailure: (device, error) => failed.push([device, String(error)]),
    });
    expect([...damaged.missing.keys()]).toEqual(['bus-0']);
    damaged.close();
    expect(failed).toEqual([['bus-3', 'Error: broken']]);
  });
});

describe('events of damaged chains', () => {
  test('are gathered as far as no page holds them, of their devices alone, in the order of the source', async () => {
    const entries = recordedEntries(3, 4).filter(({ shardId }) => shardId === SHARDS[1]);
    const device = 'bus-1' as DeviceId;
    const [first] = entries;
    if (first === undefined) throw new Error('no entry');
    const [page] = plainChain(1).pages;
    const [event] = page?.events ?? [];
    if (page === undefined || event === undefined) throw new Error('no page');
    const { sequenceNumber, subSequenceNumber } = first;
    const stored = {
      ...{ ...page, deviceId: device, shardId: SHARDS[1] },
      events: [{ ...event, place: { sequenceNumber, subSequenceNumber } }],
    };
    const chain = { deviceId: device, pages: [stored], unreadable: [], runs: [] };
    const gathering = gatherMissing({ of: () => chain }, new Set([device]), {
      redriven: new Map(),
      isRefused: async () => false,
      decoder: undefined,
    });
    await gathering.target({ shardId: SHARDS[1], entries }, noCounts(), signal);
    expect(gathering.of(device).map(({ arrived }) => arrived.place.sequenceNumber)).toEqual(
      entries.slice(1).map((entry) => entry.sequenceNumber),
    );
    expect(gathering.of(device)[0]).toMatchObject({ shardId: SHARDS[1], isRedriven: false });
    expect(gathering.of('bus-0' as DeviceId)).toEqual([]);
    gathering.close();
  });
});

describe('pages that are put back', () => {
  const { pages, state } = plainChain(3);
  const source = [1, 2, 3].map((counter) => ({
    shardId: SHARDS[0],
    arrived: arrivedEvent({ at: counter, session: 1, counter, data: { value: counter } }),
  }));
  const options = { limits: STATE_RECEIPT_LIMITS, signal };
  const left = pages.filter(({ page }) => page !== 2);
  const damage = { deviceId: DEVICE, pages: left, unreadable: [], runs: missingRuns(left, 3), live: state };

  test('are appended, and counted', async () => {
    const stores = memoryStores();
    for (const page of left) await stores.eventStore.appendPage(page);
    expect(await restoreChain(stores, damage, source, options)).toBe(1);
    expect(await Array.fromAsync(stores.eventStore.pages(DEVICE))).toEqual(pages);
  });

  test.each(['replaced', 'changed'] as const)(
    'replace an item that cannot be read, unless it was %s',
    async (outcome) => {
      const [, lost] = pages;
      if (lost === undefined) throw new Error('no page');
      const replaced: number[] = [];
      const stores = memoryStores();
      const eventStore = {
        ...stores.eventStore,
        appendPage: () => Promise.reject(new Error('there is an item')),
        replacePage: async ({ page }: EventPage) => {
          replaced.push(page);
          return outcome;
        },
      };
      const restored = restoreChain(
        { ...stores, eventStore },
        { ...damage, unreadable: [lost] },
        source,
        options,
      );
      if (outcome === 'replaced') expect(await restored).toBe(1);
      else await expect(restored).rejects.toMatchObject({ code: 'CHAIN_CHANGED' });
      expect(replaced).toEqual([2]);
    },
  );
});
