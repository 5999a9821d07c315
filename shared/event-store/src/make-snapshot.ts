import { areComplete, copyReceipts, type DeviceState, FOLD_VERSION } from '@twinstream/device-model';
import { requireNext, requireReached } from './chain-gap.ts';
import { rangeBetween, receiptsFrom, snapshotUpTo } from './complete-receipts.ts';
import type { EventStore, Snapshot } from './event-store.ts';

/**
 * Pages that are read again for one snapshot at most: many times the usual distance between snapshots. Where more lie
 * between (the fold version was raised, or receipts outgrew an item), writing it is a matter of maintenance, not of the
 * projector's deadline.
 */
export const SNAPSHOT_PAGES_MAX = 2_000;

export interface MakeSnapshotOptions {
  /** Default: {@link SNAPSHOT_PAGES_MAX}. */
  readonly pagesMax?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The snapshot after a state's page. Builds on the latest one before it: reads it, and what the pages since say of
 * themselves; their events only where the state's receipts have forgotten something. Undefined where more than
 * `pagesMax` pages would be read for the receipts; where only the latest device time would need so many, it stays
 * unknown. Throws `CHAIN_BROKEN` where a page is missing.
 */
export async function makeSnapshot(
  store: EventStore,
  state: DeviceState,
  { pagesMax = SNAPSHOT_PAGES_MAX, signal }: MakeSnapshotOptions = {},
): Promise<Snapshot | undefined> {
  const previous = await snapshotUpTo(store, state, signal);
  if (previous?.state.page === state.page) return previous;
  const isNear = state.page - (previous?.state.page ?? 0) <= pagesMax;
  const isComplete = areComplete(state.receipts);
  if (!isNear && !isComplete) return undefined;
  const receipts = isComplete
    ? copyReceipts(state.receipts)
    : await receiptsFrom(store, state, previous, signal);
  const eventTimeMax = isNear ? await eventTimeMaxFrom(store, state, previous, signal) : undefined;
  return {
    foldVersion: FOLD_VERSION,
    state,
    receipts,
    ...(eventTimeMax === undefined ? {} : { eventTimeMax }),
  };
}

async function eventTimeMaxFrom(
  store: EventStore,
  state: DeviceState,
  previous: Snapshot | undefined,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const { deviceId } = state;
  const before = previous?.state ?? { page: 0, arrivalMax: 0 };
  if (previous !== undefined && previous.eventTimeMax === undefined) return undefined;
  let eventTimeMax = previous?.eventTimeMax;
  let reached = before.page;
  for await (const summary of store.pageSummaries(deviceId, rangeBetween(before, state, signal))) {
    requireNext({ deviceId, page: reached }, summary);
    reached = summary.page;
    if (summary.lastEventTime === undefined) continue;
    eventTimeMax = Math.max(eventTimeMax ?? summary.lastEventTime, summary.lastEventTime);
  }
  requireReached(state, reached);
  return eventTimeMax;
}
