import { FOLD_VERSION, newDevice } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { writeBatch } from '../contract/chain-writer.ts';
import { countingEventStore } from '../contract/counting-event-store.ts';
import { catchUp } from '../src/catch-up.ts';
import { makeSnapshot } from '../src/make-snapshot.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';

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
