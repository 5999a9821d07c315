import {
  type DeviceState,
  deviceId,
  eventText,
  foldPage,
  newDevice,
  PAGE_LIMITS,
} from '@twinstream/device-model';
import { type EventStore, memoryEventStore, withoutValues } from '@twinstream/event-store';
import { countingEventStore } from '@twinstream/event-store/contract/counting-event-store';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { CodedError, createLogger } from '@twinstream/runtime';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { HeadCache } from '../src/head-cache.ts';
import { projectDevice, REFUSED_STATE_PAGES_PER_SNAPSHOT } from '../src/project-device.ts';

const DEVICE = deviceId('camera-1');
const SHARD = shardId('shardId-000000000000');
/** The last page whose state an item holds. */
const LAST_HELD = 3;

/** A device whose state the table refuses from the page after this one on, and whose snapshots hold values or do not. */
function refusedDevice(snapshotsHold: 'values' | 'versions', lastHeld = LAST_HELD) {
  const counted = countingEventStore(memoryEventStore());
  const eventStore: EventStore =
    snapshotsHold === 'values'
      ? counted
      : {
          ...counted,
          putSnapshot: (snapshot, signal) => counted.putSnapshot(withoutValues(snapshot), signal),
        };
  const table = memoryLatestStateTable();
  let stateReads = 0;
  let isRefused = true;
  let sent = 0;
  let snapshots = 0;
  const latestState = {
    ...table,
    read: (...query: Parameters<typeof table.read>) => {
      stateReads += 1;
      return table.read(...query);
    },
    write: async (state: DeviceState, signal?: AbortSignal) => {
      if (isRefused && state.page > lastHeld) throw new CodedError('STATE_TOO_LARGE', 'too large');
      return table.write(state, signal);
    },
  };
  const logger = createLogger('test', 'silent');
  return {
    latestState: table,
    get snapshots() {
      return snapshots;
    },
    shrink: () => {
      isRefused = false;
    },
    /** Projects the next event in a container that has these heads, and counts what was read for it. */
    send: async (heads: HeadCache) => {
      Object.assign(counted.counts, { pages: 0, summaries: 0, snapshots: 0 });
      stateReads = 0;
      sent += 1;
      const identity = { session: 1, counter: sent };
      const time = '2026-11-30T00:00:00Z';
      const data = { image: `${sent}`, [`name-${sent % 5}`]: sent };
      const event = { v: 1, deviceId: DEVICE, type: 'reported', time, identity, data } as const;
      const place = { sequenceNumber: sequenceNumber(String(sent)), subSequenceNumber: 0 };
      const report = await projectDevice(
        { eventStore, latestState, heads, logger, pageLimits: PAGE_LIMITS, pagesPerSnapshot: 100 },
        {
          deviceId: DEVICE,
          shardId: SHARD,
          arrived: [{ place, arrivalTime: sent, event, text: eventText(event) }],
          from: place.sequenceNumber,
        },
        new AbortController().signal,
      );
      snapshots += report.snapshots;
      const { pages, summaries, snapshots: snapshotReads } = counted.counts;
      return { ...report, pageReads: pages, reads: pages + summaries + snapshotReads + stateReads };
    },
    fold: async () => {
      let state = newDevice(DEVICE);
      for await (const page of counted.pages(DEVICE)) state = foldPage(state, page);
      return state;
    },
  };
}

describe.each(['values', 'versions'] as const)(
  'a device whose state is refused, snapshots with %s',
  (hold) => {
    test('costs each event a bounded number of reads in a container that knows it, however long its chain', async () => {
      const device = refusedDevice(hold);
      const heads = new HeadCache(10);
      for (let event = 1; event <= 300; event += 1) {
        const { reads, stateRejected } = await device.send(heads);
        expect(stateRejected).toBe(event > LAST_HELD);
        // A snapshot reads what the pages since the last one say of themselves.
        expect(reads).toBeLessThanOrEqual(2 * REFUSED_STATE_PAGES_PER_SNAPSHOT);
      }
    });

    test('costs each event a bounded number of reads in containers that do not, and few snapshots', async () => {
      const device = refusedDevice(hold);
      for (let event = 1; event <= 300; event += 1) {
        const { reads } = await device.send(new HeadCache(10));
        expect(reads).toBeLessThanOrEqual(3 * REFUSED_STATE_PAGES_PER_SNAPSHOT + 10);
      }
      expect(device.snapshots).toBeLessThanOrEqual(300 / REFUSED_STATE_PAGES_PER_SNAPSHOT + 300 / 100 + 1);
    });
  },
);

test('a refused state that fits again is written whole by the next event, in any container', async () => {
  for (const isWarm of [true, false]) {
    const device = refusedDevice('values');
    const heads = new HeadCache(10);
    for (let event = 1; event <= 150; event += 1) await device.send(heads);
    device.shrink();
    expect((await device.send(isWarm ? heads : new HeadCache(10))).stateRejected).toBe(false);
    expect(await device.latestState.read(DEVICE)).toEqual(await device.fold());
  }
});

test('a state that was read on from versions alone is never written, and gives way to the one that a repair wrote', async () => {
  const device = refusedDevice('versions');
  const heads = new HeadCache(10);
  for (let event = 1; event <= 150; event += 1) await device.send(new HeadCache(10));
  device.shrink();
  for (let event = 1; event <= 3; event += 1) expect((await device.send(heads)).stateRejected).toBe(true);
  expect((await device.latestState.read(DEVICE))?.page).toBe(LAST_HELD);
  await device.latestState.replace(await device.fold(), LAST_HELD);
  expect((await device.send(heads)).stateRejected).toBe(false);
  expect(await device.latestState.read(DEVICE)).toEqual(await device.fold());
});

test.each([
  ['an older state item', LAST_HELD],
  ['no state item', 0],
])('a container that knows a refused state beside %s reads no page of it again', async (_, lastHeld) => {
  const device = refusedDevice('versions', lastHeld);
  for (let event = 1; event <= 100; event += 1) await device.send(new HeadCache(10));
  const heads = new HeadCache(10);
  await device.send(heads);
  for (let event = 1; event <= 5; event += 1) expect((await device.send(heads)).pageReads).toBe(0);
});
