import { type ArrivedEvent, keyOf, PAGE_LIMITS, STATE_RECEIPT_LIMITS } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { createLogger } from '@twinstream/runtime';
import type { ShardId } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeadCache } from '../src/head-cache.ts';
import { projectDevice } from '../src/project-device.ts';

const LIVE = new AbortController().signal;
const SILENT = createLogger('test', 'silent');

interface Record {
  /** Its key; none for a record that is identified by its position. */
  readonly key?: number | undefined;
  readonly window: number;
  readonly windowMs?: number | undefined;
  /** Milliseconds after the first. */
  readonly arrival: number;
}

function event(at: number, { key, window, windowMs, arrival }: Record): ArrivedEvent {
  const within = windowMs === undefined ? {} : { withinMs: windowMs };
  return arrivedEvent({
    ...{ at, arrivalTime: TEST_TIME_MS + arrival, data: { at } },
    key: key === undefined ? undefined : { key: String(key), eventsMax: window, ...within },
  });
}

/** A device with several containers, which forget their heads by chance and are stale where another has written. */
function openDevice(eventsMax: number, marksMax: number) {
  const [eventStore, latestState] = [memoryEventStore(), memoryLatestStateTable()];
  const containers = [new HeadCache(10), new HeadCache(10, 3), new HeadCache(0)];
  const receipts = { ...STATE_RECEIPT_LIMITS, marksMax };
  const services = {
    ...{ eventStore, latestState, logger: SILENT, pagesPerSnapshot: 1_000 },
    pageLimits: { ...PAGE_LIMITS, eventsMax, receipts },
  };
  return {
    deliver: async (shardId: ShardId, arrived: readonly ArrivedEvent[], container = 0, repaired = false) => {
      const [first] = arrived;
      if (first === undefined) return;
      const heads = containers[container % containers.length] as HeadCache;
      const batch = { deviceId: DEVICE, shardId, arrived, from: first.place.sequenceNumber };
      await projectDevice({ ...services, heads, repaired }, batch, LIVE);
    },
    stored: async () => {
      const pages = await Array.fromAsync(eventStore.pages(DEVICE));
      return pages.flatMap(({ events }) => events);
    },
    duplicates: async () => (await latestState.read(DEVICE))?.counts.duplicates,
  };
}

/** Which records of one shard are stored: those without a copy among the last of the window that were stored before. */
function storedOnes(records: readonly Record[]): readonly number[] {
  const stored: number[] = [];
  for (const [index, { key, window, windowMs = Number.POSITIVE_INFINITY, arrival }] of records.entries()) {
    const isCopy = stored.slice(-window).some((at) => {
      const earlier = records[at] as Record;
      return key !== undefined && earlier.key === key && arrival - earlier.arrival <= windowMs;
    });
    if (!isCopy) stored.push(index);
  }
  return stored;
}

const batches = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 8 }), back: fc.nat(30), container: fc.nat(2) }),
  { minLength: 1, maxLength: 12 },
);

test('a copy is stored again beyond the window of its key and never within it, whatever is delivered again, in whichever batches and containers', async () => {
  const record = fc.record({
    key: fc.option(fc.nat(5), { nil: undefined, freq: 6 }),
    window: fc.constantFrom(1, 2, 3, 5),
    windowMs: fc.constantFrom(undefined, undefined, 0, 2, 6),
    step: fc.constantFrom(0, 0, 1, 3),
  });
  const isOneWindow = fc.boolean();
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 60 }),
      batches,
      fc.integer({ min: 1, max: 4 }),
      isOneWindow,
      async (drawn, deliveries, eventsMax, isSame) => {
        let arrival = 0;
        const [first] = drawn;
        const records = drawn.map(({ step, ...rest }) => {
          arrival += step;
          return { ...rest, ...(isSame ? { window: first?.window ?? 1 } : {}), arrival };
        });
        const events = records.map((one, index) => event(index + 1, one));
        const device = openDevice(eventsMax, 16);
        let at = 0;
        for (let index = 0; at < events.length; index += 1) {
          const { size, back, container } = deliveries[index % deliveries.length] as (typeof deliveries)[0];
          await device.deliver(SHARDS[0], events.slice(Math.max(0, at - back), at + size), container);
          at += size;
        }
        const expected = storedOnes(records);
        await device.deliver(SHARDS[0], events, 2);
        const stored = await device.stored();
        expect(stored.map(({ event: { data } }) => Number(data.at) - 1)).toEqual(expected);
        expect(await device.duplicates()).toBe(records.length - expected.length);
      },
    ),
    { numRuns: 300 },
  );
});

test('of copies within the window one is stored, whatever shard, order, giving up and redrive they come by', async () => {
  const WINDOW = 6;
  const scenario = fc.record({
    /** For each new key after how many records it is put again. */
    agains: fc.array(fc.array(fc.integer({ min: 1, max: WINDOW - 1 }), { maxLength: 2 }), {
      minLength: 2,
      maxLength: 25,
    }),
    shards: fc.array(fc.nat(1), { minLength: 1, maxLength: 30 }),
    steps: fc.array(fc.constantFrom(1, 1, 2), { minLength: 1, maxLength: 10 }),
    deliveries: fc.array(
      fc.record({
        shard: fc.nat(1),
        size: fc.integer({ min: 1, max: 5 }),
        isGivenUp: fc.boolean(),
        back: fc.nat(6),
        container: fc.nat(2),
      }),
      { minLength: 1, maxLength: 15 },
    ),
    eventsMax: fc.integer({ min: 1, max: 4 }),
    marksMax: fc.integer({ min: 1, max: 3 }),
    isRepaired: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ agains, shards, steps, deliveries, ...rest }) => {
      const { eventsMax, marksMax, isRepaired } = rest;
      // Keys in the order of their records: copies stand fewer than a window of records after the first.
      const keys: number[] = [];
      const due: { readonly at: number; readonly key: number }[] = [];
      for (const [key, after] of agains.entries()) {
        keys.push(key);
        for (const more of after) due.push({ at: keys.length - 1 + more, key });
        for (const one of due.filter(({ at }) => at <= keys.length)) {
          if (keys.length - keys.indexOf(one.key) < WINDOW) keys.push(one.key);
          due.splice(due.indexOf(one), 1);
        }
      }
      let arrival = 0;
      const records = keys.map((key, index) => {
        arrival += steps[index % steps.length] ?? 1;
        const shard = shards[index % shards.length] ?? 0;
        return { shard, arrived: event(index + 1, { key, window: WINDOW, arrival }) };
      });
      const device = openDevice(eventsMax, marksMax);
      const queues = [0, 1].map((shard) =>
        records.filter((one) => one.shard === shard).map((one) => one.arrived),
      );
      const reached = [0, 0];
      const givenUp: (readonly [number, readonly ArrivedEvent[]])[] = [];
      for (
        let index = 0;
        index < 400 && queues.some((queue, shard) => (reached[shard] ?? 0) < queue.length);
        index += 1
      ) {
        const { shard, size, isGivenUp, back, container } = deliveries[
          index % deliveries.length
        ] as (typeof deliveries)[0];
        const of = index < 200 ? shard : index % 2;
        const from = reached[of] ?? 0;
        const batch = queues[of]?.slice(from, from + size) ?? [];
        reached[of] = from + size;
        if (isGivenUp) givenUp.push([of, batch]);
        else {
          const again = queues[of]?.slice(Math.max(0, from - back), from) ?? [];
          const isKnown = ({ place }: ArrivedEvent) =>
            !givenUp.some(([, lost]) => lost.some((one) => one.place === place));
          await device.deliver(SHARDS[of] as ShardId, [...again.filter(isKnown), ...batch], container);
        }
      }
      for (const [of, batch] of givenUp) await device.deliver(SHARDS[of] as ShardId, batch, 2, isRepaired);
      for (const [of, queue] of queues.entries())
        await device.deliver(SHARDS[of] as ShardId, queue, 1, isRepaired);
      const stored = (await device.stored()).map(({ text }) => keyOf(text)?.key).toSorted();
      expect(stored).toEqual([...new Set(records.map(({ arrived }) => keyOf(arrived.text)?.key))].toSorted());
    }),
    { numRuns: 400 },
  );
});
