import {
  applyEvent,
  COMPLETE_RECEIPT_LIMITS,
  closeDraft,
  copyReceipts,
  type DeviceId,
  type DeviceState,
  type EventPage,
  eventTimeMs,
  FOLD_VERSION,
  foldPage,
  moreGaps,
  newDevice,
  openDraft,
  type ReceiptLimits,
  type Receipts,
  STATE_RECEIPT_LIMITS,
  type StateDraft,
} from '@twinstream/device-model';
import { compareWithinShard } from '@twinstream/stream-model';
import type { AsOfTime } from './as-of-time.ts';
import { requireNext } from './chain-gap.ts';
import type { EventStore, Snapshot, SnapshotQuery } from './event-store.ts';
import { nextPageKey } from './page-key.ts';
import { PAGE_NUMBER_MAX } from './sort-key.ts';

/**
 * `arrival`, as of arrival (system time): what was stored by then. `event-time`, as of event time (valid time): what was true
 * then. They differ where events come late, or clocks are wrong.
 */
export type StateAtBasis = 'arrival' | 'event-time';

export interface StateAtOptions {
  /** What the state remembers: of receipts on the basis `arrival` alone. Default: as the state item does. */
  readonly limits?: ReceiptLimits;
  /** True sees every page that was acknowledged before. Default: false. */
  readonly consistent?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What events say of a device that need not be a stretch of its chain: without page, arrivals and high-water marks, so no
 * chain goes on from it. Every `DeviceState` is one, too.
 */
export interface DescribedState extends Omit<DeviceState, 'page' | 'arrivalMax' | 'marks' | 'marksFloor'> {
  /** Absent where the events are no stretch of the chain. */
  readonly page?: number;
}

export interface StateAt<State extends DescribedState = DescribedState> {
  /** Without events where nothing was known then. */
  readonly state: State;
  readonly pagesRead: number;
  readonly snapshotUsed: boolean;
}

/**
 * State of a device at a time, in one of two meanings:
 *
 * - `arrival`, what was stored by then: the chain up to the first event whose running maximum of arrivals is later. Reads at
 *   most one snapshot and the pages between it and that event, of which the last is folded in part: its duplicates do
 *   not say when they came, and are left out.
 * - `event-time`, what was true then: all events whose device time is at or before it, wherever they
 *   stand, corrections by the time that they state. Starts at the latest snapshot that holds no later device time; every
 *   later page may still hold an earlier one, so their device times are all looked at, in the store, and only the pages
 *   that have one are read. What depends on arrivals or on the chain (page, marks, duplicates, last arrival) is absent;
 *   gaps are those of the events that count.
 *
 * Throws `CHAIN_BROKEN` where the basis `arrival` meets a missing page.
 */
export async function stateAt(
  store: EventStore,
  deviceId: DeviceId,
  timeMs: AsOfTime,
  basis: 'arrival',
  options?: StateAtOptions,
): Promise<StateAt<DeviceState>>;
export async function stateAt(
  store: EventStore,
  deviceId: DeviceId,
  timeMs: AsOfTime,
  basis: StateAtBasis,
  options?: StateAtOptions,
): Promise<StateAt>;
export async function stateAt(
  store: EventStore,
  deviceId: DeviceId,
  timeMs: AsOfTime,
  basis: StateAtBasis,
  options: StateAtOptions = {},
): Promise<StateAt> {
  return basis === 'arrival'
    ? stateByArrival(store, deviceId, timeMs, options)
    : stateByEventTime(store, deviceId, timeMs, options);
}

async function stateByArrival(
  store: EventStore,
  deviceId: DeviceId,
  timeMs: number,
  { limits, consistent = false, signal }: StateAtOptions,
): Promise<StateAt<DeviceState>> {
  const snapshot = await store.latestSnapshot(deviceId, {
    foldVersion: FOLD_VERSION,
    arrivalMaxAtMost: timeMs,
    consistent,
    signal,
  });
  let state = snapshot?.state ?? newDevice(deviceId);
  let pagesRead = 0;
  const to = { arrivalMaxBefore: Math.floor(timeMs), page: PAGE_NUMBER_MAX };
  for await (const page of store.pages(deviceId, { from: nextPageKey(state), to, consistent, signal })) {
    requireNext(state, page);
    pagesRead += 1;
    if (page.lastArrivalTime > timeMs) {
      const known = cutAt(page, timeMs);
      if (known !== undefined) state = foldPage(state, known, limits);
      break;
    }
    state = foldPage(state, page, limits);
  }
  return { state, pagesRead, snapshotUsed: snapshot !== undefined };
}

/** A page as it would be had only its first events come, those before the first one that arrived later; undefined without any. */
function cutAt(page: EventPage, timeMs: number): EventPage | undefined {
  const end = page.events.findIndex(({ arrivalTime }) => arrivalTime > timeMs);
  const events = end < 0 ? page.events : page.events.slice(0, end);
  const [first, ...rest] = events;
  if (first === undefined) return undefined;
  let through = first;
  for (const stored of rest) if (compareWithinShard(stored.place, through.place) > 0) through = stored;
  const arrivals = events.map(({ arrivalTime }) => arrivalTime);
  const heard = events.filter(({ event }) => event.correction === undefined);
  const { heardTime: _, ...frame } = page;
  return {
    ...frame,
    events,
    duplicates: 0,
    through: through.place,
    throughArrivalTime: through.arrivalTime,
    firstArrivalTime: Math.min(...arrivals),
    lastArrivalTime: Math.max(...arrivals),
    ...(heard.length === 0 ? {} : { heardTime: Math.max(...heard.map(({ arrivalTime }) => arrivalTime)) }),
  };
}

async function stateByEventTime(
  store: EventStore,
  deviceId: DeviceId,
  timeMs: number,
  { limits = STATE_RECEIPT_LIMITS, consistent = false, signal }: StateAtOptions,
): Promise<StateAt> {
  const { attributeNameBytesMax } = limits;
  const snapshot = await snapshotWithin(store, deviceId, timeMs, { consistent, signal });
  const draft = openDraft(snapshot?.state ?? newDevice(deviceId));
  if (snapshot !== undefined) draft.receipts = copyReceipts(snapshot.receipts);
  let pagesRead = 0;
  const range = { from: nextPageKey(draft), eventTimeAtMost: timeMs, consistent, signal };
  for await (const page of store.pages(deviceId, range)) {
    pagesRead += 1;
    for (const stored of page.events) {
      if (eventTimeMs(stored.event.time) > timeMs) continue;
      applyEvent(draft, page.shardId, stored, { ...COMPLETE_RECEIPT_LIMITS, attributeNameBytesMax });
    }
  }
  return { state: describedBy(draft), pagesRead, snapshotUsed: snapshot !== undefined };
}

/**
 * The latest snapshot of which every event's device time is at or before a time. Events come after they happened, so
 * one that had arrived by then is as good as always near; clocks that are far behind take a look at later ones.
 */
async function snapshotWithin(
  store: EventStore,
  deviceId: DeviceId,
  timeMs: number,
  options: Pick<SnapshotQuery, 'consistent' | 'signal'>,
): Promise<Snapshot | undefined> {
  const query = { ...options, foldVersion: FOLD_VERSION, eventTimeAtMost: timeMs };
  const arrived = await store.latestSnapshot(deviceId, { ...query, arrivalMaxAtMost: timeMs });
  return arrived ?? (await store.latestSnapshot(deviceId, query));
}

/** What a draft says once arrivals and the place in the chain are taken from it. */
function describedBy(draft: StateDraft): DescribedState {
  const { page, arrivalMax, marks, marksFloor, lastArrivalTime, ...state } = closeDraft(draft);
  const newest = draft.lastEventTime?.version;
  return {
    ...state,
    current:
      newest === undefined
        ? { session: -1, counter: -1 }
        : { session: newest.session, counter: newest.counter },
    ordinal: newest?.ordinal ?? 0,
    counts: { ...draft.counts, duplicates: 0, gaps: gapsOf(draft.receipts) },
  };
}

/** Highest less lowest plus one less received, over all sessions. */
function gapsOf({ sessions }: Receipts): number {
  let gaps = 0;
  for (const { lowest, highest, ranges } of sessions.values()) {
    let missing = highest - lowest + 1;
    for (const { first, last } of ranges) missing -= last - first + 1;
    gaps = moreGaps(gaps, missing);
  }
  return gaps;
}
