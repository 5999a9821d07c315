import { type DeviceState, FOLD_VERSION, foldPage, type ReceiptLimits } from '@twinstream/device-model';
import { requireNext } from './chain-gap.ts';
import type { EventStore } from './event-store.ts';
import { nextPageKey } from './page-key.ts';

/** Number of pages after which a lookup for a later snapshot pays off. */
export const PAGES_BEFORE_SNAPSHOT = 32;

export interface CatchUpOptions {
  /** What the state remembers of receipts. Default: as the state item does. */
  readonly limits?: ReceiptLimits;
  /** True goes on from a snapshot without values, too: for a state that plans pages. Default: false. */
  readonly valuesOmitted?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Where a walk along a chain has come to. */
export interface CaughtUp {
  readonly state: DeviceState;
  /** Page of the latest snapshot, where the walk was long enough to look for one. */
  readonly snapshotPage?: number;
  /** Present where the walk went on from a snapshot without values. */
  readonly valuesOmitted?: true;
}

/**
 * The state after the last page of its device: folds every page that was acknowledged before the call. A state that
 * lies far behind goes on from the latest snapshot. Throws `CHAIN_BROKEN` where a page is missing.
 */
export async function catchUp(
  store: EventStore,
  state: DeviceState,
  options: CatchUpOptions = {},
): Promise<CaughtUp> {
  const near = await foldOn(store, state, options, PAGES_BEFORE_SNAPSHOT);
  if (near.page < state.page + PAGES_BEFORE_SNAPSHOT) return { state: near };
  const { valuesOmitted = false, signal } = options;
  const snapshot = await store.latestSnapshot(state.deviceId, {
    foldVersion: FOLD_VERSION,
    valuesOmitted,
    consistent: true,
    signal,
  });
  const isAhead = snapshot !== undefined && snapshot.state.page > near.page;
  const start = isAhead ? snapshot.state : near;
  return {
    state: await foldOn(store, start, options, Number.POSITIVE_INFINITY),
    ...(snapshot === undefined ? {} : { snapshotPage: snapshot.state.page }),
    ...(isAhead && snapshot.valuesOmitted ? { valuesOmitted: true } : {}),
  };
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
