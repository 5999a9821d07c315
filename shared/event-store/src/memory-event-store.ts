import type { DeviceId, EventPage } from '@twinstream/device-model';
import type { AuditableEventStore } from './audit.ts';
import type { PageKey, PageRange, PageSummary, Snapshot, SnapshotQuery } from './event-store.ts';
import { comparePageKeys } from './page-key.ts';
import { summaryOf } from './page-summary.ts';

/** Pages and snapshots of one device, each in key order. */
interface DeviceChain {
  readonly pages: EventPage[];
  readonly snapshots: Snapshot[];
}

/** An event store in memory with the semantics of the DynamoDB one, every read being consistent. Holds the pages themselves, not copies. */
export function memoryEventStore(): AuditableEventStore {
  const chains = new Map<DeviceId, DeviceChain>();
  return {
    appendPage: async (page, signal) => {
      signal?.throwIfAborted();
      const { pages } = chainOf(chains, page.deviceId);
      const index = firstAtOrAbove(pages, page);
      const existing = pages[index];
      if (existing !== undefined && comparePageKeys(existing, page) === 0) {
        return { outcome: 'conflict', existing };
      }
      pages.splice(index, 0, page);
      return { outcome: 'appended' };
    },
    pages: (deviceId, range) => pagesOf(chains.get(deviceId)?.pages ?? [], range),
    pageSummaries: (deviceId, range) => summariesOf(chains.get(deviceId)?.pages ?? [], range),
    lastKeyBelow: async (deviceId, arrivalMaxBefore, signal) => {
      signal?.throwIfAborted();
      const pages = chains.get(deviceId)?.pages ?? [];
      const found = pages[firstAtOrAbove(pages, { arrivalMaxBefore, page: 0 }) - 1];
      return found && { arrivalMaxBefore: found.arrivalMaxBefore, page: found.page };
    },
    putSnapshot: async (snapshot, signal) => {
      signal?.throwIfAborted();
      const { snapshots } = chainOf(chains, snapshot.state.deviceId);
      let index = snapshots.length;
      while (index > 0 && compareSnapshots(snapshots[index - 1], snapshot) > 0) index -= 1;
      if (compareSnapshots(snapshots[index - 1], snapshot) === 0) return 'exists';
      snapshots.splice(index, 0, snapshot);
      return 'stored';
    },
    latestSnapshot: async (deviceId, query) => {
      query.signal?.throwIfAborted();
      return chains.get(deviceId)?.snapshots.findLast((snapshot) => admits(query, snapshot));
    },
    deviceIds: (signal) => deviceIdsOf(chains, signal),
    auditPages: async function* (deviceId, { signal } = {}) {
      for await (const page of pagesOf(chains.get(deviceId)?.pages ?? [], { signal })) {
        yield { kind: 'page', page, faults: [] };
      }
    },
    auditSnapshots: async function* (deviceId, { foldVersion, signal }) {
      for (const snapshot of chains.get(deviceId)?.snapshots ?? []) {
        signal?.throwIfAborted();
        if (snapshot.foldVersion === foldVersion) yield { kind: 'snapshot', snapshot, faults: [] };
      }
    },
    replacePage: async (page, signal) => {
      signal?.throwIfAborted();
      const { pages } = chainOf(chains, page.deviceId);
      const index = firstAtOrAbove(pages, page);
      const existing = pages[index];
      if (existing === undefined || comparePageKeys(existing, page) !== 0) return 'changed';
      pages[index] = page;
      return 'replaced';
    },
    partitionKeys: (signal) => deviceIdsOf(chains, signal),
  };
}

function chainOf(chains: Map<DeviceId, DeviceChain>, deviceId: DeviceId): DeviceChain {
  let chain = chains.get(deviceId);
  if (chain === undefined) {
    chain = { pages: [], snapshots: [] };
    chains.set(deviceId, chain);
  }
  return chain;
}

/** Index of the first page whose key is at or above this one. */
function firstAtOrAbove(pages: readonly EventPage[], key: PageKey): number {
  const last = pages.at(-1);
  if (last === undefined || comparePageKeys(last, key) < 0) return pages.length;
  let low = 0;
  let high = pages.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const page = pages[middle];
    if (page !== undefined && comparePageKeys(page, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Finds its place again after each page, so that pages put meanwhile are met where they belong. */
async function* pagesOf(pages: readonly EventPage[], range: PageRange = {}): AsyncGenerator<EventPage> {
  const { from, to, order = 'ascending', eventTimeAtMost, signal } = range;
  const rises = order === 'ascending';
  let index = rises
    ? firstAtOrAbove(pages, from ?? { arrivalMaxBefore: 0, page: 0 })
    : (to === undefined ? pages.length : firstAtOrAbove(pages, { ...to, page: to.page + 1 })) - 1;
  while (true) {
    signal?.throwIfAborted();
    const page = pages[index];
    if (page === undefined) return;
    if (rises ? to && comparePageKeys(page, to) > 0 : from && comparePageKeys(page, from) < 0) return;
    if (eventTimeAtMost === undefined || (summaryOf(page).firstEventTime ?? Number.NaN) <= eventTimeAtMost) {
      yield page;
    }
    const here = firstAtOrAbove(pages, page);
    index = rises ? here + 1 : here - 1;
  }
}

async function* summariesOf(pages: readonly EventPage[], range?: PageRange): AsyncGenerator<PageSummary> {
  for await (const page of pagesOf(pages, range)) yield summaryOf(page);
}

function compareSnapshots(a: Snapshot | undefined, b: Snapshot): number {
  if (a === undefined) return -1;
  return (
    a.foldVersion - b.foldVersion || a.state.arrivalMax - b.state.arrivalMax || a.state.page - b.state.page
  );
}

function admits(query: SnapshotQuery, snapshot: Snapshot): boolean {
  const { foldVersion, state, eventTimeMax } = snapshot;
  const { arrivalMaxAtMost, pageAtMost, eventTimeAtMost, valuesOmitted = false } = query;
  return (
    foldVersion === query.foldVersion &&
    (valuesOmitted || snapshot.valuesOmitted !== true) &&
    (arrivalMaxAtMost === undefined || state.arrivalMax <= arrivalMaxAtMost) &&
    (pageAtMost === undefined || state.page <= pageAtMost) &&
    (eventTimeAtMost === undefined || (eventTimeMax !== undefined && eventTimeMax <= eventTimeAtMost))
  );
}

async function* deviceIdsOf(
  chains: ReadonlyMap<DeviceId, DeviceChain>,
  signal?: AbortSignal,
): AsyncGenerator<DeviceId> {
  for (const [deviceId, { pages }] of chains) {
    signal?.throwIfAborted();
    if (pages.length > 0) yield deviceId;
  }
}
