import type { EventStore } from '@twinstream/event-store';

type ReadStore = Pick<EventStore, 'pages' | 'pageSummaries' | 'lastKeyBelow' | 'latestSnapshot'>;

/** An event store that counts what is read of it: each request for a key or a snapshot, and each page. */
export function countedStore(store: EventStore): {
  readonly store: EventStore;
  readonly reads: () => number;
} {
  let reads = 0;
  async function* counted<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
    for await (const item of items) {
      reads += 1;
      yield item;
    }
  }
  const reading: ReadStore = {
    pages: (deviceId, range) => counted(store.pages(deviceId, range)),
    pageSummaries: (deviceId, range) => counted(store.pageSummaries(deviceId, range)),
    lastKeyBelow: (...query) => {
      reads += 1;
      return store.lastKeyBelow(...query);
    },
    latestSnapshot: (...query) => {
      reads += 1;
      return store.latestSnapshot(...query);
    },
  };
  return { store: { ...store, ...reading }, reads: () => reads };
}
