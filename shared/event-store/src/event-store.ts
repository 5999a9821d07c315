import type { DeviceId, DeviceState, EventPage, Receipts } from '@twinstream/device-model';

/** Place of a page in its device's chain. It depends on the page before alone, so that two writers meet at the same key. */
export interface PageKey {
  /** Running maximum of arrivals after the page before, milliseconds since 1970; 0 for the first page. */
  readonly arrivalMaxBefore: number;
  /** From 1. */
  readonly page: number;
}

export type AppendResult =
  | { readonly outcome: 'appended'; readonly writeUnits?: number }
  /** The key is taken; here is the page that took it. */
  | { readonly outcome: 'conflict'; readonly existing: EventPage; readonly writeUnits?: number };

export interface PageRange {
  /** Lowest and highest key, both included; open where absent. */
  readonly from?: PageKey;
  readonly to?: PageKey;
  /** Chain order, or its reverse. Default: ascending. */
  readonly order?: 'ascending' | 'descending';
  /** True sees every page that was acknowledged before the read began. Default: false, at half the price. */
  readonly consistent?: boolean;
  readonly signal?: AbortSignal;
}

/** The state after a page, with everything ever received: where folds of history may start. */
export interface Snapshot {
  readonly foldVersion: number;
  /** State after page `state.page`, as the latest-state table would hold it. */
  readonly state: DeviceState;
  /** Complete receipts as of that page. */
  readonly receipts: Receipts;
}

export interface SnapshotQuery {
  readonly foldVersion: number;
  /** Only snapshots whose running maximum of arrivals is at or before it; milliseconds since 1970. */
  readonly arrivalMaxAtMost?: number;
  readonly consistent?: boolean;
  readonly signal?: AbortSignal;
}

/** The append-only store of device history. Pages and snapshots are written once and never changed. */
export interface EventStore {
  /** Puts a page where its key is free. The put is the serialization point of its device. */
  appendPage(page: EventPage, signal?: AbortSignal): Promise<AppendResult>;
  /** Pages of one device, fetched as they are consumed. */
  pages(deviceId: DeviceId, range?: PageRange): AsyncIterable<EventPage>;
  /** Highest key strictly below `arrivalMaxBefore`: the page in which events that arrived then may begin. */
  lastKeyBelow(deviceId: DeviceId, arrivalMaxBefore: number, signal?: AbortSignal): Promise<PageKey | undefined>;
  /** Puts a snapshot unless one stands there already. */
  putSnapshot(snapshot: Snapshot, signal?: AbortSignal): Promise<'stored' | 'exists'>;
  /** The latest snapshot that the query admits. */
  latestSnapshot(deviceId: DeviceId, query: SnapshotQuery): Promise<Snapshot | undefined>;
  /** Devices that have pages, in no order, each once. */
  deviceIds(signal?: AbortSignal): AsyncIterable<DeviceId>;
}
