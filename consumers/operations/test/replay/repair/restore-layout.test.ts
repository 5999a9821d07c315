import { newDevice, planPage, STATE_RECEIPT_LIMITS } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import type { SourceEvent } from '../../../src/replay/repair/candidates.ts';
import { missingRuns } from '../../../src/replay/repair/missing-run.ts';
import { restoredPages } from '../../../src/replay/repair/restore-pages.ts';
import { type ChainEvent, chainOf, plainChain } from './chains.ts';

const [PARENT, CHILD, OTHER_CHILD] = SHARDS;

/** The event that {@link chainOf} makes of these. */
function sourceEvent([shardId, counter]: ChainEvent): SourceEvent {
  return { shardId, arrived: arrivedEvent({ at: counter, session: 1, counter, data: { value: counter } }) };
}

const events = (shardId: ShardId, first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index): ChainEvent => [shardId, first + index]);

type Chain = Pick<ReturnType<typeof chainOf>, 'pages'> & Partial<Pick<ReturnType<typeof chainOf>, 'state'>>;

/** Lays out what is missing where these pages are left. */
function restored(
  { pages, state }: Chain,
  left: readonly number[],
  of: readonly SourceEvent[],
  statePage = state?.page ?? 0,
) {
  const kept = pages.filter(({ page }) => left.includes(page));
  return restoredPages(
    { deviceId: DEVICE, pages: kept, unreadable: [], runs: missingRuns(kept, statePage), live: state },
    of,
    STATE_RECEIPT_LIMITS,
  );
}

const shapeOf = (pages: Awaited<ReturnType<typeof restored>>) =>
  pages.map(({ page, shardId, events: held }) => [
    page,
    SHARDS.indexOf(shardId),
    held.map(({ event }) => event.identity?.counter),
  ]);

describe('the layout of a run', () => {
  const plain = plainChain(4);

  test.each([
    [[2, 3, 4], 1],
    [[1, 3, 4], 2],
    [[1, 2, 3], 4],
  ])('of one page, where %j are left, is that page', async (left, lost) => {
    expect(await restored(plain, left, [sourceEvent([PARENT, lost])])).toEqual([plain.pages[lost - 1]]);
  });

  test('of two runs takes no event twice, and moves over the pages between', async () => {
    const chain = plainChain(6);
    const source = [2, 4, 5].map((counter) => sourceEvent([PARENT, counter]));
    expect(await restored(chain, [1, 3, 6], source)).toEqual([1, 3, 4].map((index) => chain.pages[index]));
  });

  test('of more events than pages has as many in each, the last the most', async () => {
    const { pages } = chainOf(...events(PARENT, 1, 5));
    const source = events(PARENT, 1, 5).map(sourceEvent);
    // Without a state that would say where they ended.
    const fifth = { ...pages[4], page: 3 } as (typeof pages)[number];
    const found = await restored({ pages: [fifth] }, [3], source.slice(0, 4));
    expect(shapeOf(found)).toEqual([
      [1, 0, [1, 2]],
      [2, 0, [3, 4]],
    ]);
    const alone = await restored({ pages: [{ ...fifth, page: 4 }] }, [4], source.slice(0, 4));
    expect(shapeOf(alone)).toEqual([
      [1, 0, [1]],
      [2, 0, [2]],
      [3, 0, [3, 4]],
    ]);
  });

  test('gives the shards pages by the number of their events, each one at least', async () => {
    const all = [...events(PARENT, 1, 1), ...events(CHILD, 2, 7), ...events(OTHER_CHILD, 8, 9)];
    const { pages } = chainOf(...all, [OTHER_CHILD, 10]);
    const next = { ...pages[9], page: 6 } as (typeof pages)[number];
    const found = await restored({ pages: [next] }, [6], all.map(sourceEvent));
    expect(shapeOf(found)).toEqual([
      [1, 0, [1]],
      [2, 1, [2, 3]],
      [3, 1, [4, 5]],
      [4, 1, [6, 7]],
      [5, 2, [8, 9]],
    ]);
  });

  test('leaves every later shard a page', async () => {
    const all = [...events(PARENT, 1, 6), [CHILD, 7] as ChainEvent, [OTHER_CHILD, 8] as ChainEvent];
    const { pages } = chainOf(...all, [OTHER_CHILD, 9]);
    const next = { ...pages[8], page: 5 } as (typeof pages)[number];
    const found = await restored({ pages: [next] }, [5], all.map(sourceEvent));
    expect(shapeOf(found)).toEqual([
      [1, 0, [1, 2, 3]],
      [2, 0, [4, 5, 6]],
      [3, 1, [7]],
      [4, 2, [8]],
    ]);
  });

  test('asks the pages before it of what a state does not remember', async () => {
    const chain = plainChain(5);
    const limits = { ...STATE_RECEIPT_LIMITS, rangesMax: 1 };
    const late = arrivedEvent({ at: 20, session: 1, counter: 3, data: { value: 30 } });
    const plan = planPage(chain.state, PARENT, [late], { limits: { ...UNBOUNDED, receipts: limits } });
    expect(plan.kind).toBe('page');
    const pages = [...chain.pages, ...(plan.kind === 'page' ? [plan.page] : [])];
    const found = await restoredPages(
      { deviceId: DEVICE, pages: chain.pages, unreadable: [], runs: missingRuns(chain.pages, 6) },
      [{ shardId: PARENT, arrived: late }],
      limits,
    );
    expect(found).toEqual(pages.slice(5));
  });
});

const UNBOUNDED = { eventsMax: Number.POSITIVE_INFINITY, charactersMax: Number.POSITIVE_INFINITY };

describe('what cannot be restored', () => {
  const chain = plainChain(6);
  const why = (left: readonly number[], source: readonly ChainEvent[], of: Chain = chain, statePage = 6) =>
    restored(of, left, source.map(sourceEvent), statePage).then(
      (pages) => `restored ${pages.length}`,
      (error: Error & { readonly code: string }) => `${error.code} ${error.message}`,
    );

  test('is named by its page, or its pages, and why', async () => {
    const few = 'cannot be restored: the source has too few of its events';
    expect(await why([1, 3, 4, 5, 6], [])).toBe(`PAGES_NOT_RESTORABLE page 2 of ${DEVICE} ${few}`);
    expect(await why([1, 4, 5, 6], [[PARENT, 2]])).toBe(
      `PAGES_NOT_RESTORABLE pages 2 to 3 of ${DEVICE} ${few}`,
    );
  });

  test('is the first run that joins nothing, though there are others', async () => {
    expect(await why([1, 3, 5, 6], [])).toContain('page 2 of');
    expect(await why([1, 3, 5, 6], [[PARENT, 2]])).toContain('page 4 of');
  });

  test('is what does not join the page behind it', async () => {
    const early = {
      ...sourceEvent([PARENT, 2]),
      arrived: arrivedEvent({ at: 2, arrivalTime: TEST_TIME_MS, session: 1, counter: 2 }),
    };
    await expect(restored(chain, [1, 3, 4, 5, 6], [early])).rejects.toMatchObject({
      code: 'PAGES_NOT_RESTORABLE',
    });
  });

  test('is an event that is stored, and so none of the run', async () => {
    expect(await why([1, 2, 3, 4, 5], [[PARENT, 3]])).toMatch(/page 6 of .* cannot be restored/);
  });

  test('is what the live state contradicts', async () => {
    expect(await why([1, 2, 3, 4, 5], [[CHILD, 7]])).toMatch(
      /page 6 of .* cannot be restored: the source lacks event 1\.6, which was accepted/,
    );
  });

  test('without a live state is nothing that joins', async () => {
    expect(await why([1, 3, 4, 5, 6], [[PARENT, 2]], { pages: chain.pages }, 0)).toBe('restored 1');
  });

  test('is not held against the live state where neighbours end at its page', async () => {
    const state = chain.states[2];
    if (state === undefined) throw new Error('no state');
    const counted = { ...state, counts: { ...state.counts, late: 9 } };
    const source = [2, 3, 4, 5].map((counter) => sourceEvent([PARENT, counter]));
    // A page boundary inside the run, of which nothing is known.
    expect(await restored({ ...chain, state: counted }, [1, 6], source)).toHaveLength(4);
    // A page boundary that is known.
    await expect(
      restored(
        { ...chain, state: counted },
        [1, 3, 6],
        source.filter((_, at) => at !== 1),
      ),
    ).rejects.toThrow('does not lead to the state');
  });
});

describe('a layout that counts other duplicates than the live state', () => {
  test('is taken where there is none that counts the same', async () => {
    const chain = plainChain(4);
    const state = { ...newDevice(DEVICE), ...chain.state, counts: { ...chain.state.counts, duplicates: 5 } };
    expect(await restored({ ...chain, state }, [1, 3, 4], [sourceEvent([PARENT, 2])])).toEqual([
      chain.pages[1],
    ]);
  });

  /** Each of these counters, and a copy beside it that may have been dropped as delivered again. */
  function withCopies(counters: readonly number[]): readonly SourceEvent[] {
    return counters.flatMap((counter) =>
      [0, 1].map((sub) => ({
        shardId: PARENT,
        arrived: arrivedEvent({ at: counter, sub, session: 1, counter, data: { value: counter } }),
      })),
    );
  }

  test('is passed over for a later one that counts the same', async () => {
    const chain = plainChain(7);
    const found = await restored(chain, [1, 3, 5, 7], withCopies([2, 4, 6]));
    expect(found.map(({ duplicates }) => duplicates)).toEqual([0, 0, 0]);
  });

  test('is the first one that joins, where a hundred are tried without one that counts the same', async () => {
    const chain = plainChain(15);
    const counters = [2, 4, 6, 8, 10, 12, 14];
    const left = [1, 3, 5, 7, 9, 11, 13, 15];
    // Of 128 layouts the last has none.
    const found = await restored(chain, left, withCopies(counters));
    expect(found.map(({ duplicates }) => duplicates)).toEqual(counters.map(() => 1));
  });
});
