import type { EventStore } from '../src/event-store.ts';

/** What was read through a counting store. */
export interface ReadCounts {
  pages: number;
  summaries: number;
  snapshots: number;
}

/** A store that counts what is read through it, so that a test can bound the work. */
export function countingEventStore(store: EventStore): EventStore & { readonly counts: ReadCounts } {
  const counts: ReadCounts = { pages: 0, summaries: 0, snapshots: 0 };
  async function* counted<Member>(members: AsyncIterable<Member>, name: keyof ReadCounts) {
    for await (const member of members) {
      counts[name] += 1;
      yield member;
    }
  }
  return {
    ...store,
    counts,
    pages: (deviceId, range) => counted(store.pages(deviceId, range), 'pages'),
    pageSummaries: (deviceId, range) => counted(store.pageSummaries(deviceId, range), 'summaries'),
    latestSnapshot: async (deviceId, query) => {
      const snapshot = await store.latestSnapshot(deviceId, query);
      if (snapshot !== undefined) counts.snapshots += 1;
      return snapshot;
    },
  };
}
