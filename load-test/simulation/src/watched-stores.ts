import type { AuditableEventStore } from '@twinstream/event-store';
import type { RepairableLatestState, ShardProgress, ShardProgressTable } from '@twinstream/latest-state';
import type { ResolvableQuarantine } from '@twinstream/quarantine';
import type { Network } from './network.ts';
import type { Oracle } from './oracle.ts';
import type { Owner } from './scheduler.ts';

/** The stores without a simulated network: the ground truth. */
export interface Stores {
  readonly eventStore: AuditableEventStore;
  readonly latestState: RepairableLatestState;
  readonly shardProgress: ShardProgressTable;
  readonly quarantine: ResolvableQuarantine;
}

export interface Watchers {
  readonly oracle: Oracle;
  readonly onProgress: (progress: ShardProgress) => void;
  /** Told of every violation where it happens: the code under test must not be able to catch it. */
  readonly onViolation: (error: unknown) => void;
}

/** The stores, and which records quarantine really holds, by shard id and sequence number. */
export interface WatchedStores extends Stores {
  readonly quarantined: ReadonlySet<string>;
}

/** The stores with somebody watching every write as it takes effect. */
export function watched(stores: Stores, { oracle, onProgress, onViolation }: Watchers): WatchedStores {
  const quarantined = new Set<string>();
  const watch = (check: () => void) => {
    try {
      check();
    } catch (error) {
      onViolation(error);
    }
  };
  return {
    ...stores,
    quarantined,
    quarantine: {
      ...stores.quarantine,
      put: async (record, signal) => {
        await stores.quarantine.put(record, signal);
        quarantined.add(`${record.shardId} ${record.sequenceNumber}`);
      },
    },
    eventStore: {
      ...stores.eventStore,
      appendPage: async (page, signal) => {
        const result = await stores.eventStore.appendPage(page, signal);
        if (result.outcome === 'appended') watch(() => oracle.onAppend(page));
        return result;
      },
    },
    latestState: {
      ...stores.latestState,
      write: async (state, signal) => {
        const result = await stores.latestState.write(state, signal);
        if (result.outcome === 'written') watch(() => oracle.onState(state));
        return result;
      },
      replace: async (state, observed, signal) => {
        const result = await stores.latestState.replace(state, observed, signal);
        if (result === 'replaced') watch(() => oracle.onState(state));
        return result;
      },
    },
    shardProgress: {
      ...stores.shardProgress,
      advance: async (streamName, progress, signal) => {
        const result = await stores.shardProgress.advance(streamName, progress, signal);
        if (result.outcome === 'advanced') watch(() => onProgress(progress));
        return result;
      },
    },
  };
}

/** How a process reaches stores. */
export type Reach = (owner: Owner, stores: Stores) => Stores;

/** The stores as one process sees them: every call travels the network. A range is fetched whole, by one request. */
export function reachedBy(owner: Owner, stores: Stores, network: Pick<Network, 'call'>): Stores {
  const { eventStore, latestState, shardProgress, quarantine } = stores;
  const call = <Answer>(name: string, effect: () => Promise<Answer>, signal?: AbortSignal) =>
    network.call(owner, name, effect, signal);
  return {
    eventStore: {
      appendPage: (page, signal) => call('page put', () => eventStore.appendPage(page), signal),
      pages: (deviceId, range) =>
        fetched(() =>
          call(
            'page query',
            () => all(eventStore.pages(deviceId, withoutSignal(range ?? {}))),
            range?.signal,
          ),
        ),
      pageSummaries: (deviceId, range) =>
        fetched(() =>
          call(
            'page query',
            () => all(eventStore.pageSummaries(deviceId, withoutSignal(range ?? {}))),
            range?.signal,
          ),
        ),
      lastKeyBelow: (deviceId, below, signal) =>
        call('page query', () => eventStore.lastKeyBelow(deviceId, below), signal),
      putSnapshot: (snapshot, signal) => call('snapshot put', () => eventStore.putSnapshot(snapshot), signal),
      latestSnapshot: (deviceId, query) =>
        call('snapshot query', () => eventStore.latestSnapshot(deviceId, withoutSignal(query)), query.signal),
      deviceIds: (signal) => fetched(() => call('device scan', () => all(eventStore.deviceIds()), signal)),
      auditPages: (deviceId, { signal } = {}) =>
        fetched(() => call('page query', () => all(eventStore.auditPages(deviceId)), signal)),
      auditSnapshots: (deviceId, { foldVersion, signal }) =>
        fetched(() =>
          call('snapshot query', () => all(eventStore.auditSnapshots(deviceId, { foldVersion })), signal),
        ),
      replacePage: (page, signal) => call('page put', () => eventStore.replacePage(page), signal),
      partitionKeys: (signal) =>
        fetched(() => call('device scan', () => all(eventStore.partitionKeys()), signal)),
    },
    latestState: {
      read: (deviceId, options) =>
        call('state read', () => latestState.read(deviceId, withoutSignal(options ?? {})), options?.signal),
      write: (state, signal) => call('state update', () => latestState.write(state), signal),
      replace: (state, observed, signal) =>
        call('state replace', () => latestState.replace(state, observed), signal),
      audit: (deviceId, signal) => call('state read', () => latestState.audit(deviceId), signal),
      sizeOf: (state) => latestState.sizeOf(state),
      partitionKeys: (signal) =>
        fetched(() => call('state list', () => all(latestState.partitionKeys()), signal)),
      list: (query) => call('state list', () => latestState.list(withoutSignal(query)), query.signal),
    },
    shardProgress: {
      advance: (streamName, progress, signal) =>
        call('progress update', () => shardProgress.advance(streamName, progress), signal),
      read: (streamName, signal) => call('progress read', () => shardProgress.read(streamName), signal),
    },
    quarantine: {
      put: (record, signal) => call('quarantine put', () => quarantine.put(record), signal),
      list: (query) =>
        fetched(() =>
          call('quarantine list', () => all(quarantine.list(withoutSignal(query ?? {}))), query?.signal),
        ),
      read: (key, signal) => call('quarantine read', () => quarantine.read(key), signal),
      resolve: (key, resolution, signal) =>
        call('quarantine resolve', () => quarantine.resolve(key, resolution), signal),
      resolved: (signal) => fetched(() => call('quarantine list', () => all(quarantine.resolved()), signal)),
      contents: (signal) => fetched(() => call('quarantine list', () => all(quarantine.contents()), signal)),
    },
  };
}

/** What has left a process lands whether or not the process still waits. */
function withoutSignal<Options extends object>(options: Options): Options {
  return { ...options, signal: undefined };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const gathered: Item[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

async function* fetched<Item>(fetch: () => Promise<readonly Item[]>): AsyncGenerator<Item> {
  yield* await fetch();
}
