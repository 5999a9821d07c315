import { type ArrivedEvent, type DeviceState, decodeEvent, newDevice } from '@twinstream/device-model';
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

  it('finds the copy of an event of the same source counter and time, in any shard', async () => {
    const derived = (at: number, counter: number, timeAt: number): ArrivedEvent => {
      const time = new Date(TEST_TIME_MS + timeAt).toISOString();
      const head = `"v":1,"deviceId":"${DEVICE}","type":"reported","time":"${time}"`;
      const text = `{"session":1,"counter":${at},${head},"mapping":{"name":"m","version":1},"source":{"counter":${counter}},"data":{}}`;
      const decoded = decodeEvent(Buffer.from(text));
      if ('rejected' in decoded) throw new TypeError(decoded.detail);
      const { place, arrivalTime } = arrivedEvent({ at });
      return { place, arrivalTime, ...decoded };
    };
    let state = newDevice(DEVICE);
    ({ state } = await writeBatch(store, state, OTHER_SHARD, [derived(5, 7, 1)]));
    ({ state } = await writeBatch(store, state, SHARD, [derived(20, 9, 2)]));
    const copyOf = (counter: number, timeAt: number): ArrivedEvent => {
      const { place, arrivalTime, event, text } = derived(10, counter, timeAt);
      const { identity: _, ...uncounted } = event;
      const sourceCounter = { counter, bits: 4, lateMax: 2, restart: false };
      return { place, arrivalTime, event: uncounted, text, sourceCounter };
    };
    const hasCopy = async (arrived: ArrivedEvent) =>
      (await load(state, arrived)).copyOf({ shardId: SHARD, ...arrived.place }, arrived) !== undefined;
    expect(await hasCopy(copyOf(7, 1))).toBe(true);
    expect(await hasCopy(copyOf(9, 2))).toBe(true);
    expect(await hasCopy(copyOf(7, 2))).toBe(false);
    expect(await hasCopy(copyOf(8, 1))).toBe(false);
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

  it('reads receipts for a correction and for what its source counts, too', async () => {
    const state = await gappyChain(store);
    await load(state, arrivedEvent({ at: PAGES * 10 + 1, correctionId: 'c', data: { speedMph: 1 } }));
    expect(store.counts.snapshots).toBe(1);
    const sourceCounter = { counter: 1, bits: 8, lateMax: 16, restart: false } as const;
    await load(state, { ...arrivedEvent({ at: PAGES * 10 + 1 }), sourceCounter });
    expect(store.counts.snapshots).toBe(1);
  });

  it('asks nothing about corrections, which are themselves by their id', async () => {
    const state = await uncountedChain(store);
    const correction = arrivedEvent({ at: 15, correctionId: 'c', data: { speedMph: 1 } });
    const history = await load(state, correction);
    expect(() => history.has({ shardId: SHARD, ...correction.place })).toThrow('was not loaded');
    expect(store.counts.pages).toBe(0);
  });

  it('reads consistently, under the signal of its caller', async () => {
    const state = await uncountedChain(store);
    const asked: unknown[] = [];
    const watched: EventStore = {
      ...store,
      pages: (id, range) => {
        asked.push([range?.consistent, range?.signal]);
        return store.pages(id, range);
      },
      lastKeyBelow: (id, arrivalMaxBefore, signal) => {
        asked.push(signal);
        return store.lastKeyBelow(id, arrivalMaxBefore, signal);
      },
    };
    const { signal } = new AbortController();
    const arrived = [arrivedEvent({ at: PAGES * 10 - 5 })];
    await loadDeviceHistory(watched, state, { shardId: SHARD, arrived, signal });
    expect(asked).toEqual([signal, [true, signal], [true, signal]]);
  });

  /** A chain of these batches, a page each. */
  const chainOf = async (
    ...batches: readonly (readonly [(typeof SHARDS)[number], ...(readonly ArrivedEvent[])])[]
  ) => {
    let state = newDevice(DEVICE);
    for (const [shard, ...arrived] of batches) ({ state } = await writeBatch(store, state, shard, arrived));
    return state;
  };
  const before = async (state: DeviceState, missed: ArrivedEvent) => {
    const history = await load(state, missed);
    const position = { shardId: SHARD, ...missed.place };
    return {
      isStored: history.has(position),
      before: history.eventBefore(position, missed.arrivalTime)?.event.data.speedMph,
      pages: store.counts.pages,
    };
  };

  it('knows that the same place of another shard is another event', async () => {
    const state = await chainOf([OTHER_SHARD, arrivedEvent({ at: 10 })], [SHARD, arrivedEvent({ at: 20 })]);
    expect(await before(state, arrivedEvent({ at: 10 }))).toMatchObject({ isStored: false, before: 10 });
  });

  it('takes the nearest before it in its shard, wherever it stands in a page', async () => {
    const events = [10, 30, 50].map((at) => arrivedEvent({ at }));
    const state = await chainOf([SHARD, ...events], [OTHER_SHARD, arrivedEvent({ at: 35 })]);
    expect(await before(state, arrivedEvent({ at: 40 }))).toMatchObject({ before: 30 });
    expect(await before(state, arrivedEvent({ at: 20 }))).toMatchObject({ before: 10 });
  });

  it('passes over corrections and late events', async () => {
    const state = await chainOf(
      [
        SHARD,
        arrivedEvent({ at: 10, session: 1, counter: 1 }),
        arrivedEvent({ at: 20, session: 1, counter: 5 }),
      ],
      [SHARD, arrivedEvent({ at: 30, session: 1, counter: 3 })],
      [SHARD, arrivedEvent({ at: 40, correctionId: 'c', data: { speedMph: 99 } })],
      [SHARD, arrivedEvent({ at: 60, session: 1, counter: 6 })],
    );
    expect(await before(state, arrivedEvent({ at: 50 }))).toMatchObject({ before: 20 });
  });

  it('takes of other shards the newest that arrived when it did, or before', async () => {
    const arrivalTime = TEST_TIME_MS + 30_000;
    const state = await chainOf(
      [OTHER_SHARD, arrivedEvent({ at: 10, session: 1, counter: 2 })],
      [OTHER_SHARD, arrivedEvent({ at: 30, session: 1, counter: 7, arrivalTime })],
      [OTHER_SHARD, arrivedEvent({ at: 40, session: 1, counter: 8 })],
      [SHARD, arrivedEvent({ at: 50, session: 1, counter: 9 })],
    );
    expect(await before(state, arrivedEvent({ at: 30, arrivalTime }))).toMatchObject({ before: 30 });
    expect(await before(state, arrivedEvent({ at: 30, arrivalTime: arrivalTime - 1 }))).toMatchObject({
      before: 10,
    });
  });

  it('reads back to the page of the nearest, and no further', async () => {
    const state = await chainOf(
      ...[1, 2, 3, 4, 5].map((at) => [SHARD, arrivedEvent({ at })] as const),
      ...[11, 12, 13].map((at) => [OTHER_SHARD, arrivedEvent({ at })] as const),
      [SHARD, arrivedEvent({ at: 20 })],
    );
    const found = await before(state, arrivedEvent({ at: 15 }));
    expect(found).toMatchObject({ isStored: false, before: 5 });
    // Its own page and the one after, then back over those of the other shard to that of event 5, and the one before it.
    expect(found.pages).toBeLessThanOrEqual(6);
  });

  it('ends where no page can be earlier', async () => {
    const state = await chainOf([SHARD, arrivedEvent({ at: 5 })]);
    expect(await before(state, arrivedEvent({ at: 1, arrivalTime: 0 }))).toMatchObject({
      ...{ isStored: false, before: undefined },
    });
  });

  it('takes the device’s own time for the order of two shards whose clocks may differ, where a source counts', async () => {
    const at = (seconds: number) => `2026-01-01T00:00:0${seconds}Z`;
    const state = await chainOf(
      [OTHER_SHARD, arrivedEvent({ at: 5, time: at(1), arrivalTime: TEST_TIME_MS + 10 })],
      [OTHER_SHARD, arrivedEvent({ at: 6, time: at(3), arrivalTime: TEST_TIME_MS + 11 })],
    );
    const first = arrivedEvent({ at: 1, time: at(2), arrivalTime: TEST_TIME_MS });
    const sourceCounter = { counter: 7, bits: 8, lateMax: 16, restart: false } as const;
    expect(await before(state, { ...first, sourceCounter })).toMatchObject({ before: 5 });
    const tooEarly = { ...first, arrivalTime: TEST_TIME_MS - 1_000, sourceCounter };
    expect(await before(state, tooEarly)).toMatchObject({ before: undefined });
  });

  it('finds a copy of what a source has counted, by its counter and its time', async () => {
    const sourceCounter = { counter: 7, bits: 8, lateMax: 16, restart: false } as const;
    const time = '2026-01-01T00:00:00Z';
    const mapped = (at: number, counter = 7) => {
      const arrived = arrivedEvent({ at, time });
      const text = `{"v":1,"deviceId":"${DEVICE}","type":"reported","time":"${time}","mapping":{"name":"m","version":1},"source":{"counter":${counter}},"data":{"speedMph":1}}`;
      return { ...arrived, text, sourceCounter: { ...sourceCounter, counter } };
    };
    const { sourceCounter: _, ...stored } = mapped(10);
    const state = await chainOf([SHARD, stored], [SHARD, arrivedEvent({ at: 20 })]);
    const hasCopy = async (copy: ArrivedEvent) =>
      (await load(state, copy)).copyOf({ shardId: SHARD, ...copy.place }, copy) !== undefined;
    expect(await hasCopy(mapped(15))).toBe(true);
    expect(await hasCopy(mapped(15, 8))).toBe(false);
  });
});
