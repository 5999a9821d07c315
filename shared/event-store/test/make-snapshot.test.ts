import { areComplete, type DeviceState, FOLD_VERSION, newDevice } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeBatch } from '../contract/chain-writer.ts';
import { countingEventStore } from '../contract/counting-event-store.ts';
import { TINY_LIMITS } from '../contract/random-chain.ts';
import type { EventStore } from '../src/event-store.ts';
import { makeSnapshot } from '../src/make-snapshot.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';

const [SHARD] = SHARDS;

/** Pages of one event each; with `step` 2 every other counter is missing, which a small state forgets. */
async function writePages(
  store: EventStore,
  start: DeviceState,
  count: number,
  step: 1 | 2,
): Promise<DeviceState> {
  let state = start;
  for (let n = 1; n <= count; n += 1) {
    const at = state.page + 1;
    const event = arrivedEvent({ at, session: 1, counter: at * step });
    ({ state } = await writeBatch(store, state, SHARD, [event], { limits: TINY_LIMITS }));
  }
  return state;
}

describe('making a snapshot', () => {
  let store: ReturnType<typeof countingEventStore>;
  beforeEach(() => {
    store = countingEventStore(memoryEventStore());
  });

  it('reads no events where the state forgot nothing', async () => {
    const state = await writePages(store, newDevice(DEVICE), 10, 1);
    const snapshot = await makeSnapshot(store, state);
    expect(snapshot).toEqual({
      foldVersion: FOLD_VERSION,
      state,
      receipts: state.receipts,
      eventTimeMax: expect.any(Number),
    });
    expect(store.counts).toEqual({ pages: 0, summaries: 10, snapshots: 0 });
  });

  it('builds on the snapshot before, and reads the pages since', async () => {
    const first = await writePages(store, newDevice(DEVICE), 10, 2);
    const before = await makeSnapshot(store, first);
    if (before !== undefined) await store.putSnapshot(before);
    const state = await writePages(store, first, 5, 2);
    Object.assign(store.counts, { pages: 0, summaries: 0, snapshots: 0 });
    const snapshot = await makeSnapshot(store, state);
    expect(snapshot?.receipts.sessions.get(1)?.ranges).toHaveLength(15);
    expect(snapshot && areComplete(snapshot.receipts)).toBe(true);
    expect(areComplete(state.receipts)).toBe(false);
    expect(store.counts).toEqual({ pages: 5, summaries: 5, snapshots: 1 });
  });

  it('is not begun where too many pages would be read', async () => {
    const state = await writePages(store, newDevice(DEVICE), 10, 2);
    expect(await makeSnapshot(store, state, { pagesMax: 9 })).toBeUndefined();
    expect(store.counts.pages).toBe(0);
    expect(await makeSnapshot(store, state, { pagesMax: 10 })).toBeDefined();
  });

  it('leaves the latest device time unknown rather than read too many pages for it', async () => {
    const state = await writePages(store, newDevice(DEVICE), 10, 1);
    const snapshot = await makeSnapshot(store, state, { pagesMax: 9 });
    expect(snapshot).toEqual({ foldVersion: FOLD_VERSION, state, receipts: state.receipts });
    if (snapshot !== undefined) await store.putSnapshot(snapshot);
    const next = await makeSnapshot(store, await writePages(store, state, 1, 1));
    expect(next).not.toHaveProperty('eventTimeMax');
  });

  it('finds out when a page is missing', async () => {
    const elsewhere = memoryEventStore();
    const state = await writePages(elsewhere, newDevice(DEVICE), 3, 1);
    await expect(makeSnapshot(store, state)).rejects.toMatchObject({ code: 'CHAIN_BROKEN' });
    for await (const page of elsewhere.pages(DEVICE)) if (page.page !== 2) await store.appendPage(page);
    await expect(makeSnapshot(store, state)).rejects.toMatchObject({ code: 'CHAIN_BROKEN' });
  });
});
