import { FOLD_VERSION, foldPage, newDevice } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { writeBatch } from '../contract/chain-writer.ts';
import { countingEventStore } from '../contract/counting-event-store.ts';
import { catchUp } from '../src/catch-up.ts';
import type { EventStore, SnapshotQuery } from '../src/event-store.ts';
import { makeSnapshot } from '../src/make-snapshot.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';
import { withoutValues } from '../src/snapshot-item.ts';

const [SHARD] = SHARDS;

async function chainOf(length: number, snapshotAt: number) {
  const store = countingEventStore(memoryEventStore());
  let state = newDevice(DEVICE);
  for (let n = 1; n <= length; n += 1) {
    ({ state } = await writeBatch(store, state, SHARD, [arrivedEvent({ at: n, session: 1, counter: n })]));
    if (n !== snapshotAt) continue;
    const snapshot = await makeSnapshot(store, state);
    if (snapshot !== undefined) await store.putSnapshot(snapshot);
  }
  Object.assign(store.counts, { pages: 0, summaries: 0, snapshots: 0 });
  return { store, state };
}

async function stateOf(store: EventStore, pages: number) {
  let state = newDevice(DEVICE);
  for await (const page of store.pages(DEVICE)) if (page.page <= pages) state = foldPage(state, page);
  return state;
}

async function snapshotOf(store: EventStore, pages: number) {
  const snapshot = await makeSnapshot(store, await stateOf(store, pages));
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}

describe('catching up', () => {
  it('reads nothing for a state that is at the head', async () => {
    const { store, state } = await chainOf(3, 0);
    expect((await catchUp(store, state)).state).toBe(state);
    expect(store.counts).toEqual({ pages: 0, summaries: 0, snapshots: 0 });
  });

  it('leaps to the latest snapshot from far behind', async () => {
    const { store, state } = await chainOf(300, 290);
    expect((await catchUp(store, newDevice(DEVICE))).state).toEqual(state);
    expect(store.counts.snapshots).toBe(1);
    expect(store.counts.pages).toBeLessThan(50);
  });

  it('does not go back to an older snapshot', async () => {
    const { store, state } = await chainOf(100, 10);
    expect((await catchUp(store, newDevice(DEVICE))).state).toEqual(state);
    expect(store.counts.pages).toBe(100);
  });

  it('takes no snapshot of another fold version', async () => {
    const { store, state } = await chainOf(100, 0);
    await store.putSnapshot({ foldVersion: FOLD_VERSION + 1, state, receipts: { ...state.receipts } });
    expect((await catchUp(store, newDevice(DEVICE))).state).toEqual(state);
    expect(store.counts).toEqual({ pages: 100, summaries: 0, snapshots: 0 });
  });

  it('goes on from a snapshot without values where that is asked for, and says so', async () => {
    const { store, state } = await chainOf(100, 0);
    const whole = await snapshotOf(store, 90);
    await store.putSnapshot(withoutValues(whole));
    const whenWhole = await catchUp(store, newDevice(DEVICE));
    expect(whenWhole).toEqual({ state });
    const bare = await catchUp(store, newDevice(DEVICE), { valuesOmitted: true });
    expect(bare).toMatchObject({ snapshotPage: 90, valuesOmitted: true, state: { page: 100 } });
    // One that the walk has passed gives its page alone.
    const near = await stateOf(store, 80);
    expect(await catchUp(store, near, { valuesOmitted: true })).toEqual({ state });
    const passed = await chainOf(100, 0);
    await passed.store.putSnapshot(withoutValues(await snapshotOf(passed.store, 20)));
    const after = await catchUp(passed.store, newDevice(DEVICE), { valuesOmitted: true });
    expect(after).toEqual({ state: passed.state, snapshotPage: 20 });
  });

  it('looks for a snapshot after 32 pages, and not before', async () => {
    for (const [length, looks] of [
      [31, 0],
      [32, 1],
    ] as const) {
      const { store, state } = await chainOf(length, 0);
      const queries: SnapshotQuery[] = [];
      const watched: EventStore = {
        ...store,
        latestSnapshot: (id, query) => {
          queries.push(query);
          return store.latestSnapshot(id, query);
        },
      };
      expect((await catchUp(watched, newDevice(DEVICE))).state).toEqual(state);
      expect(queries).toHaveLength(looks);
    }
    const { store, state } = await chainOf(60, 0);
    Object.assign(store.counts, { pages: 0 });
    const late = await stateOf(store, 40);
    Object.assign(store.counts, { pages: 0, snapshots: 0 });
    expect((await catchUp(store, late)).state).toEqual(state);
    expect(store.counts).toMatchObject({ pages: 20, snapshots: 0 });
  });

  it('reads consistently, under the signal of its caller: what was acknowledged before is seen', async () => {
    const { signal } = new AbortController();
    const { store } = await chainOf(40, 0);
    const asked: unknown[] = [];
    const watched: EventStore = {
      ...store,
      pages: (id, range) => {
        asked.push([range?.consistent, range?.signal]);
        return store.pages(id, range);
      },
      latestSnapshot: (id, query) => {
        asked.push([query.consistent, query.signal]);
        return store.latestSnapshot(id, query);
      },
    };
    await catchUp(watched, newDevice(DEVICE), { signal });
    expect(asked).toEqual(Array.from({ length: 3 }, () => [true, signal]));
  });

  it('stops at a page that is missing', async () => {
    const { store } = await chainOf(5, 0);
    const holed = memoryEventStore();
    for await (const page of store.pages(DEVICE)) if (page.page !== 3) await holed.appendPage(page);
    await expect(catchUp(holed, newDevice(DEVICE))).rejects.toMatchObject({
      code: 'CHAIN_BROKEN',
      retryable: false,
    });
  });
});
