import {
  type ArrivedEvent,
  type DeviceState,
  type EventPage,
  newDevice,
  planPage,
  STATE_RECEIPT_LIMITS,
} from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { compareWithinShard, positionKey, type ShardId } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import type { SourceEvent } from '../../../src/replay/repair/candidates.ts';
import { missingRuns } from '../../../src/replay/repair/missing-run.ts';
import { restoredPages } from '../../../src/replay/repair/restore-pages.ts';

const [PARENT, CHILD, OTHER_CHILD] = SHARDS;

/** What makes one page. */
interface Batch {
  readonly shardId: ShardId;
  readonly arrived: readonly ArrivedEvent[];
  readonly isRedriven?: boolean;
}

interface Written {
  readonly pages: readonly EventPage[];
  readonly state: DeviceState;
  /** All events, in the order of their shards. */
  readonly source: readonly SourceEvent[];
}

function counted(at: number, counter: number, arrivalTime = TEST_TIME_MS + at): ArrivedEvent {
  return arrivedEvent({ at, arrivalTime, session: 1, counter, data: { value: counter } });
}

function uncounted(at: number): ArrivedEvent {
  return arrivedEvent({ at, arrivalTime: TEST_TIME_MS + at, data: { value: at } });
}

const placeOf = (at: number) => counted(at, 1).place.sequenceNumber;

function written(...batches: readonly Batch[]): Written {
  const pages: EventPage[] = [];
  let state = newDevice(DEVICE);
  for (const { shardId, arrived, isRedriven = false } of batches) {
    const plan = planPage(state, shardId, arrived, { repaired: isRedriven });
    if (plan.kind !== 'page') throw new Error(plan.kind);
    pages.push(plan.page);
    state = plan.next;
  }
  const source = SHARDS.flatMap((shard) =>
    batches
      .filter(({ shardId }) => shardId === shard)
      .flatMap(({ shardId, arrived, isRedriven = false }) =>
        arrived.map((event) => ({ shardId, arrived: event, isRedriven })),
      )
      .sort((a, b) => compareWithinShard(a.arrived.place, b.arrived.place)),
  );
  return { pages, state, source };
}

/** What is laid out for pages that are missing, from the events that no other page holds. */
function restored({ pages, state, source }: Written, ...missing: readonly number[]) {
  const left = pages.filter(({ page }) => !missing.includes(page));
  const held = new Set(
    left.flatMap(({ shardId, events }) => events.map(({ place }) => positionKey({ shardId, ...place }))),
  );
  const events = source.filter(
    ({ shardId, arrived }) => !held.has(positionKey({ shardId, ...arrived.place })),
  );
  const damage = {
    deviceId: DEVICE,
    pages: left,
    unreadable: [],
    runs: missingRuns(left, state.page),
    live: state,
  };
  return restoredPages(damage, events, STATE_RECEIPT_LIMITS);
}

const numbered = ({ pages }: Written, ...numbers: readonly number[]) =>
  pages.filter(({ page }) => numbers.includes(page));

describe('restored pages', () => {
  const redrivenLast = written(
    { shardId: CHILD, arrived: [counted(10, 2)] },
    { shardId: CHILD, arrived: [counted(11, 3)] },
    { shardId: CHILD, arrived: [counted(12, 4)] },
    { shardId: PARENT, arrived: [counted(1, 1)], isRedriven: true },
  );

  test('one that a redrive had appended comes out as it was', async () => {
    expect(await restored(redrivenLast, 4)).toEqual(numbered(redrivenLast, 4));
  });

  test('none is written where the order of the source does not lead to the state', async () => {
    // As if it had come in time: a repair appended it, and nothing says so.
    const source = redrivenLast.source.map(({ shardId, arrived }) => ({ shardId, arrived }));
    await expect(restored({ ...redrivenLast, source }, 3, 4)).rejects.toMatchObject({
      code: 'PAGES_NOT_RESTORABLE',
    });
  });

  test('neighbours come back whose events lie in the later child, with copies in the other', async () => {
    const copies = (arrivalTime: number) =>
      [4, 5, 3].map((counter, index) => counted(20 + index, counter, arrivalTime));
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1), counted(11, 2)] },
      { shardId: OTHER_CHILD, arrived: copies(TEST_TIME_MS + 40) },
      { shardId: CHILD, arrived: copies(TEST_TIME_MS + 30) },
    );
    expect(device.pages[2]).toMatchObject({ events: [], duplicates: 3 });
    expect(await restored(device, 1, 2)).toEqual(numbered(device, 1, 2));
  });

  test('a whole chain comes back whose copies came to the child of the lower id last', async () => {
    const copies = (arrivalTime: number) =>
      [1, 2].map((counter, index) => counted(20 + index, counter, arrivalTime));
    const device = written(
      { shardId: OTHER_CHILD, arrived: copies(TEST_TIME_MS + 30) },
      { shardId: CHILD, arrived: copies(TEST_TIME_MS + 40) },
    );
    expect(CHILD < OTHER_CHILD).toBe(true);
    expect(device.pages[1]).toMatchObject({ events: [], duplicates: 2 });
    expect(await restored(device, 1, 2)).toEqual(numbered(device, 1, 2));
  });

  test('pages come back that lay before one that came late, which tells no beginning of its shard', async () => {
    const store = memoryEventStore();
    const batches = [[uncounted(10), uncounted(20)], [uncounted(30)], [uncounted(15)]];
    let state = newDevice(DEVICE);
    for (const arrived of batches) ({ state } = await writeBatch(store, state, PARENT, arrived));
    const pages = await Array.fromAsync(store.pages(DEVICE));
    expect(pages[2]?.events[0]?.late).toBeDefined();
    const source = [10, 15, 20, 30].map((at) => ({ shardId: PARENT, arrived: uncounted(at) }));
    const back = await restored({ pages, state, source }, 1, 2);
    expect(back.flatMap(({ events }) => events.map(({ place }) => place))).toEqual(
      [10, 20, 30].map((at) => uncounted(at).place),
    );
  });

  test('pages of counted events come back that lay before one that was delivered late', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1)] },
      { shardId: PARENT, arrived: [counted(40, 7)] },
      { shardId: PARENT, arrived: [counted(50, 3)] },
      { shardId: PARENT, arrived: [counted(30, 6)] },
    );
    expect(await restored(device, 2, 3)).toEqual(numbered(device, 2, 3));
  });

  test('pages come back that lay before one of a lower place with later events, as a promotion carries over', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1)] },
      { shardId: PARENT, arrived: [counted(11, 2)] },
      { shardId: PARENT, arrived: [counted(15, 3)] },
      { shardId: PARENT, arrived: [counted(12, 4)] },
    );
    expect(device.pages[3]?.events[0]?.late).toBeUndefined();
    expect(await restored(device, 2, 3)).toEqual(numbered(device, 2, 3));
  });

  test('a last page comes back from the child whose events the state has seen, with copies in the other', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1), counted(11, 2)] },
      { shardId: CHILD, arrived: [counted(20, 3), counted(21, 4)] },
    );
    const copies = [counted(30, 3), counted(31, 4)].map((arrived) => ({ shardId: OTHER_CHILD, arrived }));
    expect(await restored({ ...device, source: [...device.source, ...copies] }, 2)).toEqual(
      numbered(device, 2),
    );
  });

  test('a page comes back in its own shard, while the state has seen more of another', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1), counted(11, 2)] },
      { shardId: PARENT, arrived: [counted(12, 3)] },
      { shardId: PARENT, arrived: [counted(13, 4)] },
      // Its clock was behind.
      { shardId: CHILD, arrived: [counted(20, 5, TEST_TIME_MS)] },
      { shardId: CHILD, arrived: [counted(21, 6)] },
      { shardId: CHILD, arrived: [counted(22, 7)] },
    );
    expect(await restored(device, 2, 4, 6)).toEqual(numbered(device, 2, 4, 6));
  });

  test('neighbours come back before a page that was appended late, unmarked', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(12, 2)] },
      { shardId: PARENT, arrived: [counted(13, 3)] },
      { shardId: CHILD, arrived: [counted(20, 4)] },
      { shardId: CHILD, arrived: [counted(21, 5)] },
      { shardId: PARENT, arrived: [counted(11, 1)] },
    );
    expect(await restored(device, 2, 3)).toEqual(numbered(device, 2, 3));
  });

  test('a page of nothing but copies from an earlier shard, which the state has seen, comes back among neighbours', async () => {
    const device = written(
      { shardId: CHILD, arrived: [counted(20, 1), counted(21, 2)] },
      { shardId: PARENT, arrived: [counted(10, 1), counted(11, 2)] },
      { shardId: CHILD, arrived: [counted(22, 3), counted(23, 4)] },
      { shardId: CHILD, arrived: [counted(24, 5)] },
    );
    expect(device.pages[1]).toMatchObject({ events: [], duplicates: 2 });
    expect(await restored(device, 2, 3)).toEqual(numbered(device, 2, 3));
  });

  test('what was redriven is none of the duplicates that a page before it has dropped', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1)] },
      { shardId: PARENT, arrived: [counted(11, 2)] },
      { shardId: PARENT, arrived: [counted(12, 2), counted(14, 4)] },
      { shardId: PARENT, arrived: [counted(13, 3)], isRedriven: true },
    );
    expect(device.pages[2]).toMatchObject({ duplicates: 1 });
    expect(await restored(device, 2, 4)).toEqual(numbered(device, 2, 4));
  });

  test('of two copies of an event, the first of which was given up, one comes back', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(12, 1), counted(13, 2)] },
      { shardId: PARENT, arrived: [counted(14, 3)] },
      { shardId: PARENT, arrived: [counted(15, 4)] },
    );
    const givenUp = { shardId: PARENT, arrived: counted(10, 1) };
    const back = await restored({ ...device, source: [givenUp, ...device.source] }, 1, 2);
    expect(back).toMatchObject([{ duplicates: 0 }, { duplicates: 0 }]);
    const told = (pages: readonly EventPage[]) =>
      pages.flatMap(({ events }) =>
        events.map(({ event: { identity, data }, version }) => ({ identity, data, version })),
      );
    expect(told(back)).toEqual(told(numbered(device, 1, 2)));
  });

  test('of a chain that was written without copies, the first of two copies comes back', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1)] },
      { shardId: PARENT, arrived: [counted(12, 2)] },
      { shardId: PARENT, arrived: [counted(13, 3)] },
    );
    const copy = { shardId: PARENT, arrived: counted(11, 1) };
    const source = [...device.source.slice(0, 1), copy, ...device.source.slice(1)];
    expect(await restored({ ...device, source }, 1, 2)).toEqual(numbered(device, 1, 2));
  });

  test('a copy that left no trace, because it was delivered again, leaves none when its page comes back', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1)] },
      { shardId: PARENT, arrived: [counted(11, 2)] },
      { shardId: PARENT, arrived: [counted(13, 3)] },
    );
    const copy = { shardId: PARENT, arrived: counted(12, 1, TEST_TIME_MS + 11) };
    const source = [...device.source.slice(0, 2), copy, ...device.source.slice(2)];
    expect(await restored({ ...device, source }, 2)).toEqual(numbered(device, 2));
  });

  test('nor does one that came after the last event of the page that comes back', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1)] },
      { shardId: PARENT, arrived: [counted(11, 2)] },
      { shardId: PARENT, arrived: [counted(13, 3)] },
    );
    const copy = { shardId: PARENT, arrived: counted(12, 2, TEST_TIME_MS + 11) };
    const source = [...device.source.slice(0, 2), copy, ...device.source.slice(2)];
    expect(await restored({ ...device, source }, 2)).toEqual(numbered(device, 2));
  });

  test('a page of nothing but a copy comes back before one that has dropped what was redriven', async () => {
    const device = written(
      { shardId: PARENT, arrived: [counted(10, 1)] },
      { shardId: PARENT, arrived: [counted(11, 1)] },
      { shardId: PARENT, arrived: [counted(12, 2), counted(13, 1), counted(14, 3)] },
      // Its clock was behind.
      { shardId: PARENT, arrived: [counted(15, 1, TEST_TIME_MS + 5)] },
    );
    expect(device.pages[1]).toMatchObject({ events: [], duplicates: 1 });
    // A replay that wrote the chain whole saw it there, mended.
    const source = device.source.map((event) =>
      event.arrived.event.identity?.counter === 1 && event.arrived.place.sequenceNumber === placeOf(13)
        ? { ...event, isRedriven: true }
        : event,
    );
    expect(await restored({ ...device, source }, 2, 4)).toEqual(numbered(device, 2, 4));
  });

  test('a last page of nothing but copies that were redriven comes out as it was', async () => {
    const device = written(
      { shardId: CHILD, arrived: [counted(20, 5)] },
      { shardId: PARENT, arrived: [counted(10, 5)], isRedriven: true },
    );
    expect(device.pages[1]).toMatchObject({ events: [], duplicates: 1 });
    expect(await restored(device, 2)).toEqual(numbered(device, 2));
  });
});
