import { type ArrivedEvent, type DeviceState, newDevice } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeBatch } from '../contract/chain-writer.ts';
import { countingEventStore } from '../contract/counting-event-store.ts';
import { TINY_LIMITS } from '../contract/random-chain.ts';
import { loadDeviceHistory } from '../src/device-history.ts';
import type { EventStore } from '../src/event-store.ts';
import { makeSnapshot } from '../src/make-snapshot.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';

const [SHARD, OTHER_SHARD] = SHARDS;
const PAGES = 400;

/** One uncounted event a page, a second apart. */
async function uncountedChain(store: EventStore): Promise<DeviceState> {
  let state = newDevice(DEVICE);
  for (let n = 1; n <= PAGES; n += 1)
    ({ state } = await writeBatch(store, state, SHARD, [arrivedEvent({ at: n * 10 })]));
  return state;
}

/** Counters with a gap behind each, which a small state forgets; a snapshot every hundred pages. */
async function gappyChain(store: EventStore): Promise<DeviceState> {
  let state = newDevice(DEVICE);
  for (let n = 1; n <= PAGES; n += 1) {
    const event = arrivedEvent({ at: n * 10, session: 1, counter: n * 2 });
    ({ state } = await writeBatch(store, state, SHARD, [event], { limits: TINY_LIMITS }));
    if (n % 100 !== 0) continue;
    const snapshot = await makeSnapshot(store, state);
    if (snapshot !== undefined) await store.putSnapshot(snapshot);
  }
  return state;
}

describe('loading the history of a device', () => {
  let store: ReturnType<typeof countingEventStore>;
  beforeEach(() => {
    store = countingEventStore(memoryEventStore());
  });
  const load = async (state: DeviceState, ...arrived: readonly ArrivedEvent[]) => {
    Object.assign(store.counts, { pages: 0, summaries: 0, snapshots: 0 });
    return loadDeviceHistory(store, state, { shardId: SHARD, arrived });
  };

  it('reads nothing where the state forgot nothing and no uncounted event is below the mark', async () => {
    const state = await uncountedChain(store);
    await load(state, arrivedEvent({ at: 1, session: 1, counter: 1 }), arrivedEvent({ at: PAGES * 10 + 1 }));
    expect(store.counts).toEqual({ pages: 0, summaries: 0, snapshots: 0 });
  });

  it('reads a page or two to find an event that is delivered again', async () => {
    const state = await uncountedChain(store);
    const again = arrivedEvent({ at: PAGES * 10 });
    const history = await load(state, again);
    expect(history.has({ shardId: SHARD, ...again.place })).toBe(true);
    expect(store.counts).toEqual({ pages: 1, summaries: 0, snapshots: 0 });
  });

  it('reads one page more to find the event before a new one', async () => {
    const state = await uncountedChain(store);
    const missed = arrivedEvent({ at: PAGES * 10 - 5 });
    const history = await load(state, missed);
    expect(history.has({ shardId: SHARD, ...missed.place })).toBe(false);
    const before = history.eventBefore({ shardId: SHARD, ...missed.place }, missed.arrivalTime);
    expect(before?.version).toEqual({ session: -1, counter: -1, ordinal: PAGES - 1, revision: 0 });
    expect(store.counts.pages).toBeLessThanOrEqual(3);
  });

  it('takes the newest of any shard where the event is the first of its own', async () => {
    let state = newDevice(DEVICE);
    ({ state } = await writeBatch(store, state, OTHER_SHARD, [
      arrivedEvent({ at: 5, session: 2, counter: 7 }),
    ]));
    ({ state } = await writeBatch(store, state, SHARD, [arrivedEvent({ at: 20, session: 3, counter: 1 })]));
    const missed = arrivedEvent({ at: 10 });
    const history = await load(state, missed);
    const before = history.eventBefore({ shardId: SHARD, ...missed.place }, missed.arrivalTime);
    expect(before?.version).toEqual({ session: 2, counter: 7, ordinal: 0, revision: 0 });
  });

  it('knows of nothing before the first event of all', async () => {
    const state = await uncountedChain(store);
    const missed = arrivedEvent({ at: 1, arrivalTime: TEST_TIME_MS });
    const history = await load(state, missed);
    expect(history.eventBefore({ shardId: SHARD, ...missed.place }, TEST_TIME_MS)).toBeUndefined();
  });

  it('reads one snapshot and the pages since, where the state forgot receipts', async () => {
    const state = await gappyChain(store);
    const { receipts } = await load(state, arrivedEvent({ at: 1, session: 1, counter: 4 }));
    expect(receipts.sessions.get(1)?.ranges).toHaveLength(PAGES);
    expect(store.counts).toEqual({ pages: 0, summaries: 0, snapshots: 1 });
    const { receipts: further } = await load(state, arrivedEvent({ at: 1, session: 1, counter: 5 }));
    expect(further).toEqual(receipts);
  });

  it('does not read receipts for uncounted events alone', async () => {
    const state = await gappyChain(store);
    await load(state, arrivedEvent({ at: PAGES * 10 + 1 }));
    expect(store.counts).toEqual({ pages: 0, summaries: 0, snapshots: 0 });
  });

  it('does not answer for a position that it was not loaded for', async () => {
    const state = await uncountedChain(store);
    const history = await load(state, arrivedEvent({ at: 10 }));
    expect(() => history.has({ shardId: SHARD, ...arrivedEvent({ at: 20 }).place })).toThrow(
      'was not loaded',
    );
    expect(() => history.has({ shardId: OTHER_SHARD, ...arrivedEvent({ at: 10 }).place })).toThrow(
      'was not loaded',
    );
  });

  it('reads nothing beyond the page of the state', async () => {
    const state = await uncountedChain(store);
    const earlier = { ...state, page: 10, arrivalMax: TEST_TIME_MS + 100_000 };
    const history = await load(earlier, arrivedEvent({ at: 200 }));
    expect(history.has({ shardId: SHARD, ...arrivedEvent({ at: 200 }).place })).toBe(false);
    expect(store.counts.pages).toBeLessThanOrEqual(3);
  });
});
