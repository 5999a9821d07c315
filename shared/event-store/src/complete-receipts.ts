import {
  areComplete,
  copyReceipts,
  type DeviceState,
  FOLD_VERSION,
  noReceipts,
  type Receipts,
} from '@twinstream/device-model';
import { requireNext, requireReached } from './chain-gap.ts';
import { enterReceipt } from './enter-receipt.ts';
import type { EventStore, PageRange, Snapshot } from './event-store.ts';
import { nextPageKey } from './page-key.ts';

/**
 * Everything received up to a state's own page: what the state remembers where it forgot nothing, otherwise the latest
 * snapshot and the pages between. Throws `CHAIN_BROKEN` where a page is missing.
 */
export async function completeReceipts(
  store: EventStore,
  state: DeviceState,
  signal?: AbortSignal,
): Promise<Receipts> {
  if (areComplete(state.receipts)) return copyReceipts(state.receipts);
  const snapshot = await snapshotUpTo(store, state, signal);
  return receiptsFrom(store, state, snapshot, signal);
}

/** The latest snapshot at or before a state's page, be it without values: receipts are what it is asked for. */
export function snapshotUpTo(
  store: EventStore,
  { deviceId, page, arrivalMax }: DeviceState,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  return store.latestSnapshot(deviceId, {
    foldVersion: FOLD_VERSION,
    arrivalMaxAtMost: arrivalMax,
    pageAtMost: page,
    valuesOmitted: true,
    consistent: true,
    signal,
  });
}

/** Complete receipts as of the state's page, counted on from a snapshot at or before it. */
export async function receiptsFrom(
  store: EventStore,
  state: DeviceState,
  snapshot: Snapshot | undefined,
  signal?: AbortSignal,
): Promise<Receipts> {
  const receipts = snapshot === undefined ? noReceipts() : copyReceipts(snapshot.receipts);
  const before = snapshot?.state ?? { deviceId: state.deviceId, page: 0, arrivalMax: 0 };
  let { page: reached } = before;
  for await (const page of store.pages(state.deviceId, rangeBetween(before, state, signal))) {
    requireNext({ deviceId: state.deviceId, page: reached }, page);
    for (const stored of page.events) enterReceipt(receipts, stored);
    reached = page.page;
  }
  requireReached(state, reached);
  return receipts;
}

/** Pages after one state up to that of another, and no later ones. */
export function rangeBetween(
  before: Pick<DeviceState, 'page' | 'arrivalMax'>,
  after: Pick<DeviceState, 'page' | 'arrivalMax'>,
  signal: AbortSignal | undefined,
): PageRange {
  return {
    from: nextPageKey(before),
    to: { arrivalMaxBefore: after.arrivalMax, page: after.page },
    consistent: true,
    signal,
  };
}
