import { type DeviceState, FOLD_VERSION, foldPage, type ReceiptLimits } from '@twinstream/device-model';
import { requireNext } from './chain-gap.ts';
import type { EventStore } from './event-store.ts';
import { nextPageKey } from './page-key.ts';

/** After so many pages a snapshot that saves the rest is worth looking for. */
const PAGES_BEFORE_SNAPSHOT = 32;

export interface CatchUpOptions {
  /** What the state remembers of receipts. Default: as the state item does. */
  readonly limits?: ReceiptLimits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The state after the last page of its device: folds every page that was acknowledged before the call. A state that
 * lies far behind goes on from the latest snapshot. Throws `CHAIN_BROKEN` where a page is missing.
 */
export async function catchUp(
  store: EventStore,
  state: DeviceState,
  options: CatchUpOptions = {},
): Promise<DeviceState> {
  const near = await foldOn(store, state, options, PAGES_BEFORE_SNAPSHOT);
  if (near.page < state.page + PAGES_BEFORE_SNAPSHOT) return near;
  const { signal } = options;
  const snapshot = await store.latestSnapshot(state.deviceId, {
    foldVersion: FOLD_VERSION,
    consistent: true,
    signal,
  });
  const start = snapshot !== undefined && snapshot.state.page > near.page ? snapshot.state : near;
  return foldOn(store, start, options, Number.POSITIVE_INFINITY);
}

async function foldOn(
  store: EventStore,
  start: DeviceState,
  { limits, signal }: CatchUpOptions,
  pagesMax: number,
): Promise<DeviceState> {
  let state = start;
  const range = { from: nextPageKey(start), consistent: true, signal };
  for await (const page of store.pages(start.deviceId, range)) {
    requireNext(state, page);
    state = foldPage(state, page, limits);
    if (state.page - start.page >= pagesMax) break;
  }
  return state;
}
