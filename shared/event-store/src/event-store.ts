import type { DeviceId, DeviceState, EventPage, Receipts } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';

/** Place of a page in its device's chain. It depends on the page before alone, so that two writers meet at the same key. */
export interface PageKey {
  /** Running maximum of arrivals after the page before, milliseconds since 1970; 0 for the first page. */
  readonly arrivalMaxBefore: number;
  /** From 1. */
  readonly page: number;
}

export type AppendResult =
  | { readonly outcome: 'appended'; readonly writeUnits?: number }
  /**
   * The key is taken; here is the page that took it. It may be the very page that was to be put, where the answer to
   * an earlier try of the same put was lost.
   */
  | { readonly outcome: 'conflict'; readonly existing: EventPage; readonly writeUnits?: number };

export interface PageRange {
  /** Lowest and highest key, both included; open where absent. */
  readonly from?: PageKey | undefined;
  readonly to?: PageKey | undefined;
  /** Chain order, or its reverse. Default: ascending. */
  readonly order?: 'ascending' | 'descending';
  /** True sees every page that was acknowledged before the read began. Default: false, at half the price. */
  readonly consistent?: boolean;
  /** Only pages holding an event whose device time is at or before it; milliseconds since 1970. The others are read, and billed, but not sent. */
  readonly eventTimeAtMost?: number;
  /** How many the caller will probably consume: the first fetch asks for no more. */
  readonly pagesLikely?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a page says of itself, without its events. */
export interface PageSummary extends PageKey {
  readonly shardId: ShardId;
  readonly eventCount: number;
  readonly duplicates: number;
  /** Earliest arrival, duplicates included; milliseconds since 1970. */
  readonly firstArrivalTime: number;
  /** Earliest and latest device time of its events, milliseconds since 1970; absent where it has none. */
  readonly firstEventTime?: number;
  readonly lastEventTime?: number;
}

/** The state after a page, with everything ever received: where folds of history may start. */
export interface Snapshot {
  readonly foldVersion: number;
  /** State after page `state.page`, as the latest-state table would hold it. */
  readonly state: DeviceState;
  /** Complete receipts as of that page. */
  readonly receipts: Receipts;
  /** Latest device time of all events up to that page, milliseconds since 1970; absent where it is not known. */
  readonly eventTimeMax?: number;
  /**
   * Present where the values of the attributes were left out, because no item can hold them: each attribute has its version
   * alone. Good for going on with a chain, for which no value is needed; no state to be shown.
   */
  readonly valuesOmitted?: true;
}

export interface SnapshotQuery {
  readonly foldVersion: number;
  /** Only snapshots whose running maximum of arrivals is at or before it; milliseconds since 1970. */
  readonly arrivalMaxAtMost?: number;
  /** Only snapshots of this page or of one before it. */
  readonly pageAtMost?: number;
  /** Only snapshots all of whose events are known to have a device time at or before it; milliseconds since 1970. */
  readonly eventTimeAtMost?: number;
  /** True admits snapshots without the values of attributes. Default: false. */
  readonly valuesOmitted?: boolean;
  readonly consistent?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The append-only store of device history. Pages and snapshots are written once and never changed. */
export interface EventStore {
  /**
   * Puts a page where its key is free. The put is the serialization point of its device. Throws `PAGE_TOO_LARGE` for a
   * page that no item can hold.
   */
  appendPage(page: EventPage, signal?: AbortSignal): Promise<AppendResult>;
  /** Pages of one device, fetched as they are consumed. */
  pages(deviceId: DeviceId, range?: PageRange): AsyncIterable<EventPage>;
  /** What the pages of a range say of themselves: billed as {@link pages}, at a small part of the work. */
  pageSummaries(deviceId: DeviceId, range?: PageRange): AsyncIterable<PageSummary>;
  /** Highest key strictly below `arrivalMaxBefore`: the page in which events that arrived then may begin. */
  lastKeyBelow(
    deviceId: DeviceId,
    arrivalMaxBefore: number,
    signal?: AbortSignal,
  ): Promise<PageKey | undefined>;
  /**
   * Puts a snapshot unless one stands there already. One that no item can hold is put without the values of its attributes.
   * Where the mass of its receipts alone is too much, it is not stored: folds then start at an older one.
   */
  putSnapshot(snapshot: Snapshot, signal?: AbortSignal): Promise<'stored' | 'exists' | 'too-large'>;
  /** The latest snapshot that the query admits. */
  latestSnapshot(deviceId: DeviceId, query: SnapshotQuery): Promise<Snapshot | undefined>;
  /** Devices that have pages, in no order, each once. */
  deviceIds(signal?: AbortSignal): AsyncIterable<DeviceId>;
}
