import type { EventPage, StoredEvent } from '@twinstream/device-model';
import type { AuditableEventStore, AuditedPage } from '@twinstream/event-store';
import { DEVICE, SHARDS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { damageOf, isUnreadable, missingRuns, owedShards } from '../../../src/replay/repair/missing-run.ts';
import { memoryStores } from '../memory-replay.ts';
import { chainOf, plainChain } from './chains.ts';

const [PARENT, CHILD] = SHARDS;
const { signal } = new AbortController();

/** Stores with these pages of a chain, and the state of one of them. */
async function storesOf(
  { pages, states }: ReturnType<typeof chainOf>,
  kept: readonly number[],
  statePage?: number,
) {
  const stores = memoryStores();
  for (const page of pages) if (kept.includes(page.page)) await stores.eventStore.appendPage(page);
  const state = statePage === undefined ? undefined : states[statePage - 1];
  if (state !== undefined) await stores.latestState.write(state);
  return stores;
}

/** A store in which these pages are items that cannot be read. */
function unreadable(
  store: AuditableEventStore,
  numbers: readonly number[],
  code: 'DAMAGED_PAGE' | 'UNKNOWN_EVENT_VERSION' = 'DAMAGED_PAGE',
): AuditableEventStore {
  return {
    ...store,
    auditPages: async function* (device, options): AsyncGenerator<AuditedPage> {
      yield { kind: 'foreign', key: 'something else' };
      for await (const item of store.auditPages(device, options)) {
        const key = item.kind === 'page' ? item.page : undefined;
        if (key === undefined || !numbers.includes(key.page)) yield item;
        else yield { kind: 'damaged', key, code, fault: 'cut off' };
      }
    },
  };
}

const damage = ({ eventStore, latestState }: Awaited<ReturnType<typeof storesOf>>) =>
  damageOf(eventStore, latestState, DEVICE, { signal });
const runsOf = async (...args: Parameters<typeof storesOf>) =>
  (await damage(await storesOf(...args)))?.runs.map(({ firstPage, lastPage }) => [firstPage, lastPage]);

describe('what is missing of a chain', () => {
  test.each([
    ['nothing', [1, 2, 3, 4, 5, 6], 6, undefined],
    ['nothing, while the state lags behind', [1, 2, 3, 4, 5, 6], 4, undefined],
    ['nothing, without a state', [1, 2, 3], undefined, undefined],
    ['nothing of a device without anything', [], undefined, undefined],
    ['the first page', [2, 3, 4, 5, 6], 6, [[1, 1]]],
    ['neighbours', [1, 4, 5, 6], 6, [[2, 3]]],
    [
      'two runs',
      [1, 3, 6],
      6,
      [
        [2, 2],
        [4, 5],
      ],
    ],
    ['the last pages, known from the state', [1, 2, 3], 6, [[4, 6]]],
    ['all, known from the state', [], 6, [[1, 6]]],
    ['a page behind the state', [1, 2, 3, 5], 3, [[4, 4]]],
  ] as [string, number[], number | undefined, number[][] | undefined][])(
    'is %s',
    async (_, kept, statePage, runs) => {
      expect(await runsOf(plainChain(6), kept, statePage)).toEqual(runs);
    },
  );

  test('is told with the pages that are there and the state', async () => {
    const chain = plainChain(4);
    const found = await damage(await storesOf(chain, [1, 3, 4], 4));
    expect(found).toMatchObject({ deviceId: DEVICE, unreadable: [], live: { page: 4 } });
    expect(found?.pages.map(({ page }) => page)).toEqual([1, 3, 4]);
  });

  test('is also what cannot be read', async () => {
    const chain = plainChain(4);
    const stores = await storesOf(chain, [1, 2, 3, 4], 4);
    const found = await damage({ ...stores, eventStore: unreadable(stores.eventStore, [2, 4]) });
    expect(found?.runs.map(({ firstPage, lastPage }) => [firstPage, lastPage])).toEqual([
      [2, 2],
      [4, 4],
    ]);
    expect(found?.unreadable.map(({ page }) => page)).toEqual([2, 4]);
    const [, second, third] = chain.pages;
    if (found === undefined || second === undefined || third === undefined) throw new Error('pages');
    expect([isUnreadable(found, second), isUnreadable(found, third)]).toEqual([true, false]);
  });

  test('cannot be told of a last page that no state has seen and that cannot be read', async () => {
    const stores = await storesOf(plainChain(4), [1, 2, 3, 4], 3);
    await expect(damage({ ...stores, eventStore: unreadable(stores.eventStore, [4]) })).rejects.toMatchObject(
      { code: 'PAGES_NOT_RESTORABLE', message: expect.stringContaining('page 4') },
    );
  });

  test('is not a page of newer code', async () => {
    const stores = await storesOf(plainChain(4), [1, 2, 3, 4], 4);
    await expect(
      damage({ ...stores, eventStore: unreadable(stores.eventStore, [2], 'UNKNOWN_EVENT_VERSION') }),
    ).rejects.toMatchObject({ code: 'UNKNOWN_EVENT_VERSION' });
  });

  test('is told of pages whose attributes do not say what their bodies say, which are not missing', async () => {
    const { eventStore, latestState } = await storesOf(plainChain(3), [1, 2, 3], 3);
    const faulty: AuditableEventStore = {
      ...eventStore,
      auditPages: async function* (device, options): AsyncGenerator<AuditedPage> {
        for await (const item of eventStore.auditPages(device, options)) {
          const faults = [{ attribute: 'shardId', expected: 'a', found: 'b' }];
          yield item.kind === 'page' && item.page.page === 2 ? { ...item, faults } : item;
        }
      },
    };
    const misdescribed: number[] = [];
    const onMisdescribed = async ({ page }: { readonly page: number }) => {
      misdescribed.push(page);
    };
    expect(await damageOf(faulty, latestState, DEVICE, { signal, onMisdescribed })).toBeUndefined();
    expect(misdescribed).toEqual([2]);
    expect(await damageOf(faulty, latestState, DEVICE, { signal })).toBeUndefined();
  });
});

describe('a chain', () => {
  /** Stores that count how often the pages are read, and with which signal; an item of them is foreign. */
  function reading({ eventStore, latestState }: Awaited<ReturnType<typeof storesOf>>) {
    const signals: (AbortSignal | undefined)[] = [];
    const counting: AuditableEventStore = {
      ...eventStore,
      auditPages: async function* (device, options): AsyncGenerator<AuditedPage> {
        signals.push(options?.signal);
        yield { kind: 'foreign', key: 'something else' };
        yield* eventStore.auditPages(device, options);
      },
    };
    return { signals, stores: { latestState, eventStore: counting } };
  }

  test('of which nothing is missing is read once, and one that is damaged twice', async () => {
    const whole = reading(await storesOf(plainChain(4), [1, 2, 3, 4], 4));
    expect(await damage(whole.stores)).toBeUndefined();
    expect(whole.signals).toEqual([signal]);
    const broken = reading(await storesOf(plainChain(4), [1, 2, 4], 4));
    expect((await damage(broken.stores))?.runs).toHaveLength(1);
    expect(broken.signals).toEqual([signal, signal]);
  });

  test('with an unreadable page that no state has seen lacks that page, where others come after it', async () => {
    const stores = await storesOf(plainChain(6), [1, 2, 3, 4, 5, 6], 3);
    const found = await damage({ ...stores, eventStore: unreadable(stores.eventStore, [5]) });
    expect(found?.runs).toMatchObject([{ firstPage: 5, lastPage: 5 }]);
  });

  test('that has a number twice lacks nothing', async () => {
    const chain = plainChain(3);
    const stores = await storesOf(chain, [1, 2, 3], 3);
    const [, second] = chain.pages;
    if (second === undefined) throw new Error('no page');
    await stores.eventStore.appendPage({ ...second, arrivalMaxBefore: second.arrivalMaxBefore + 1 });
    expect(await damage(stores)).toBeUndefined();
  });
});

describe('a run of missing pages', () => {
  const chain = chainOf([PARENT, 1], [PARENT, 2], [PARENT, 3], [CHILD, 4], [PARENT, 5], [CHILD, 6]);
  const left = (...numbers: readonly number[]) => chain.pages.filter(({ page }) => numbers.includes(page));

  test('lies above what the pages before it cover, and below the first page of each shard behind it', () => {
    const [run] = missingRuns(left(1, 2, 4, 5, 6), 6);
    expect(run).toMatchObject({
      firstPage: 3,
      lastPage: 3,
      arrivalMaxAfter: chain.pages[3]?.arrivalMaxBefore,
    });
    expect([...(run?.above ?? [])]).toEqual([[PARENT, chain.pages[1]?.through]]);
    expect([...(run?.below ?? [])].map(([shardId, { page }]) => [shardId, page])).toEqual([
      [CHILD, 4],
      [PARENT, 5],
    ]);
  });

  test('at the end lies above all, and below nothing', () => {
    const [run] = missingRuns(left(1, 2, 3, 4), 6);
    expect(run).not.toHaveProperty('arrivalMaxAfter');
    expect([...(run?.above.keys() ?? [])]).toEqual([PARENT, CHILD]);
    expect(run?.below.size).toBe(0);
  });

  test('takes no page for a beginning that was appended out of order or marked repaired', () => {
    const [, , third, ...rest] = chain.pages;
    if (third === undefined) throw new Error('no page');
    const repaired = {
      ...third,
      page: 4,
      events: third.events.map((event) => ({ ...event, repaired: true as const })),
    };
    const behind = { ...third, page: 4, through: chain.pages[0]?.through ?? third.through };
    for (const page of [repaired, behind]) {
      const later = rest.slice(1).map((one) => ({ ...one, page: one.page + 1 }));
      const [run] = missingRuns([...left(1, 2), page, ...later], 7);
      expect(run?.below.get(PARENT)?.page).toBe(6);
    }
  });
});

describe('the beginning of a shard behind a run', () => {
  const { pages } = plainChain(6);
  const [first, , , fourth, fifth] = pages as [EventPage, EventPage, EventPage, EventPage, EventPage];
  const stored = fifth.events[0] as StoredEvent;
  const { identity: _, ...uncounted } = stored.event;
  const correction = { correctionId: 'c', reason: 'a test', actor: 'a tester' };
  /** The number of the page that tells it, where pages 2 and 3 are missing and page 4 has these events. */
  const beginning = (...events: readonly StoredEvent[]) =>
    missingRuns([first, { ...fourth, events }, fifth], 5)[0]?.below.get(PARENT)?.page;
  const late = { ...stored, late: { gapChange: 0 } };

  test.each([
    ['counted events', 4, [stored, stored]],
    ['counted events of which one came late', 4, [stored, late]],
    ['events without a counter', 4, [{ ...stored, event: uncounted }]],
    ['a late event without a counter among others', 5, [stored, { ...late, event: uncounted }]],
    ['a late correction', 4, [{ ...late, event: { ...uncounted, correction } }]],
    ['a repaired event among others', 5, [stored, { ...stored, repaired: true as const }]],
  ] as [string, number, StoredEvent[]][])(
    'where the next page holds %s is told by page %i',
    (__, page, events) => {
      expect(beginning(...events)).toBe(page);
    },
  );

  test('is not told by a page that ends where the pages before the run end', () => {
    const again = { ...fourth, through: first.through };
    expect(missingRuns([first, again, fifth], 5)[0]?.below.get(PARENT)?.page).toBe(5);
  });

  test('lies above the highest place before the run, not above the last', () => {
    const back = { ...fourth, page: 2, through: first.through };
    const [run] = missingRuns([{ ...fourth, page: 1 }, back, { ...fifth, page: 4 }], 4);
    expect(run?.above.get(PARENT)).toEqual(fourth.through);
  });
});

describe('shards that the state has seen more of', () => {
  const chain = chainOf([PARENT, 1], [PARENT, 2], [CHILD, 3]);
  const owed = (...numbers: readonly number[]) => [
    ...owedShards({ pages: chain.pages.filter(({ page }) => numbers.includes(page)), live: chain.state }),
  ];

  test('owe pages, and no others do', () => {
    expect(owed(1, 2, 3)).toEqual([]);
    expect(owed(1, 3)).toEqual([PARENT]);
    expect(owed(1, 2)).toEqual([CHILD]);
    expect(owed()).toEqual([PARENT, CHILD]);
    expect([...owedShards({ pages: [] })]).toEqual([]);
  });
});
