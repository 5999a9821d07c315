import type { EventStore } from '@twinstream/event-store';
import type { LatestStateTable } from '@twinstream/latest-state';

/** An event store that asks before each call which one it is. A range that is being read stays with the one it began with. */
export function followingEventStore(current: () => Promise<EventStore>): EventStore {
  return {
    appendPage: async (page, signal) => (await current()).appendPage(page, signal),
    pages: (deviceId, range) => later(current, (store) => store.pages(deviceId, range)),
    pageSummaries: (deviceId, range) => later(current, (store) => store.pageSummaries(deviceId, range)),
    lastKeyBelow: async (deviceId, below, signal) => (await current()).lastKeyBelow(deviceId, below, signal),
    putSnapshot: async (snapshot, signal) => (await current()).putSnapshot(snapshot, signal),
    latestSnapshot: async (deviceId, query) => (await current()).latestSnapshot(deviceId, query),
    deviceIds: (signal) => later(current, (store) => store.deviceIds(signal)),
  };
}

type DeviceStates = Pick<LatestStateTable, 'read' | 'list'>;

/** The reads of a latest-state table that asks before each call which one it is. */
export function followingDeviceStates(current: () => Promise<DeviceStates>): DeviceStates {
  return {
    read: async (deviceId, options) => (await current()).read(deviceId, options),
    list: async (query) => (await current()).list(query),
  };
}

async function* later<Store, Item>(
  current: () => Promise<Store>,
  read: (store: Store) => AsyncIterable<Item>,
): AsyncGenerator<Item> {
  yield* read(await current());
}
