import { batch, computed, effect, signal } from '@preact/signals';
import { LIMIT_MAX, listDevices } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import type { Device } from '../api/shapes.ts';
import type { FleetQuery } from '../model/fleet-query.ts';
import { fleetQuery, view } from './address.ts';
import { serverNow } from './clock.ts';
import { isPaused, link, noteAnswer, noteFailure, revalidate } from './connection.ts';
import { startPoll } from './poll.ts';

/** The first answer is small, so that the first screen is quick; the others are as large as the API allows. */
const FIRST_LIMIT = 100;
/** Rows are read ahead of the scroll by as much. */
const AHEAD_ROWS = 200;
/** Most rows held; beyond it the page asks for a narrower filter. */
export const ROWS_MAX = 200_000;
/** Visible rows are read again so often without a stream, and so often with one, since liveness changes by silence. */
const POLL_MS = 2_500;
const POLL_BESIDE_STREAM_MS = 15_000;

/** A stretch of the list that came in one answer and can be asked for again. */
interface Stretch {
  readonly cursor: string | undefined;
  readonly limit: number;
  readonly first: number;
  readonly count: number;
}

/** Ids in the order in which the list was read. Rows change in place and never move until the list is read anew. */
export const rowIds = signal<readonly string[]>([]);
/** Devices of the list that have come since: they wait for the viewer. */
const newcomers = signal<ReadonlySet<string>>(new Set());
/** How many devices the API said there are for this query when the list was read, and says now; undefined where it does not say. */
const totalAtStart = signal<number | undefined>(undefined);
export const listTotal = signal<number | undefined>(undefined);
/** When the list was true, by its own word. */
export const listAsOf = signal<number | undefined>(undefined);
export const isListComplete = signal(false);
export const listFailure = signal<Failure | undefined>(undefined);
export const isListLoading = signal(true);
/** Rises when any row changed: at most once a frame. */
export const rowsVersion = signal(0);
/** The query that the rows shown belong to, which lags behind the address while an answer is awaited. */
export const shownQuery = signal<FleetQuery | undefined>(undefined);
/** Where the viewer is in the list, kept while another view is open. */
export const listPlace = { scrollTop: 0, activeRow: 0 };

/** Rows that the scroll bar stands for: as many as there are, loaded or not. */
export const rowCount = computed(() =>
  isListComplete.value
    ? rowIds.value.length
    : Math.max(rowIds.value.length, Math.min(totalAtStart.value ?? 0, ROWS_MAX)),
);

/** Devices that belong into the list by now and are not in it. */
export const newcomerCount = computed(() =>
  Math.max(newcomers.value.size, (listTotal.value ?? 0) - (totalAtStart.value ?? 0)),
);

const devices = new Map<string, Device>();
let stretches: Stretch[] = [];
let nextCursor: string | undefined;
let listing = new AbortController();
let isReadingOn = false;
let visible = { first: 0, last: 0 };
let isFlushDue = false;

export function deviceOf(deviceId: string): Device | undefined {
  return devices.get(deviceId);
}

function flushSoon(): void {
  if (isFlushDue) return;
  isFlushDue = true;
  requestAnimationFrame(() => {
    isFlushDue = false;
    rowsVersion.value += 1;
  });
}

function isNewer(device: Device, known: Device): boolean {
  if (device.counts.events !== known.counts.events) return device.counts.events > known.counts.events;
  return (device.lastArrivalTime ?? 0) >= (known.lastArrivalTime ?? 0);
}

/** Takes in what was heard of a device: in place where it is listed, as a newcomer where it is not. */
export function applyDevice(device: Device): void {
  const known = devices.get(device.deviceId);
  if (known !== undefined) {
    if (!isNewer(device, known)) return;
    devices.set(device.deviceId, device);
    flushSoon();
    return;
  }
  // Where the list was not read to its end, a device that is not held may simply lie further down.
  if (!isListComplete.peek() || newcomers.peek().has(device.deviceId)) return;
  newcomers.value = new Set(newcomers.peek()).add(device.deviceId);
}

/** Reads the list from its start. Rows shown before stay until the answer is there. */
export async function readFromStart(query: FleetQuery): Promise<void> {
  listing.abort();
  listing = new AbortController();
  const { signal } = listing;
  isReadingOn = false;
  isListLoading.value = true;
  const outcome = await listDevices(query, { limit: FIRST_LIMIT }, signal);
  if (outcome.kind === 'aborted' || signal.aborted) return;
  isListLoading.value = false;
  if (outcome.kind !== 'answered') {
    listFailure.value = outcome;
    noteFailure(outcome);
    return;
  }
  const { items, cursor, total, asOf } = outcome.value;
  batch(() => {
    devices.clear();
    for (const device of items) devices.set(device.deviceId, device);
    stretches = [{ cursor: undefined, limit: FIRST_LIMIT, first: 0, count: items.length }];
    nextCursor = cursor;
    rowIds.value = items.map(({ deviceId }) => deviceId);
    newcomers.value = new Set();
    totalAtStart.value = total;
    listTotal.value = total;
    listAsOf.value = asOf;
    isListComplete.value = cursor === undefined;
    listFailure.value = undefined;
    shownQuery.value = query;
    rowsVersion.value += 1;
    noteAnswer(outcome.serverTime, asOf ?? serverNow());
  });
}

/** Tells which rows are on the screen, so that they are there and stay fresh. */
export function showRows(first: number, last: number): void {
  visible = { first, last };
  void readOn();
}

/** Reads the list on until it reaches beyond the visible rows. */
async function readOn(): Promise<void> {
  const { signal } = listing;
  if (isReadingOn || isListLoading.peek()) return;
  isReadingOn = true;
  const query = shownQuery.peek();
  while (
    query !== undefined &&
    nextCursor !== undefined &&
    rowIds.peek().length < visible.last + AHEAD_ROWS
  ) {
    if (rowIds.peek().length >= ROWS_MAX) break;
    const outcome = await listDevices(query, { limit: LIMIT_MAX, cursor: nextCursor }, signal);
    if (outcome.kind === 'aborted' || signal.aborted) return;
    if (outcome.kind !== 'answered') {
      noteFailure(outcome);
      break;
    }
    appendStretch(outcome.value.items, outcome.value.cursor);
    noteAnswer(outcome.serverTime, outcome.value.asOf ?? serverNow());
  }
  isReadingOn = false;
}

function appendStretch(items: readonly Device[], cursor: string | undefined): void {
  const held = rowIds.peek();
  const added: string[] = [];
  for (const device of items) {
    if (!devices.has(device.deviceId)) added.push(device.deviceId);
    devices.set(device.deviceId, device);
  }
  batch(() => {
    stretches.push({ cursor: nextCursor, limit: LIMIT_MAX, first: held.length, count: added.length });
    nextCursor = cursor;
    rowIds.value = [...held, ...added];
    isListComplete.value = cursor === undefined;
  });
}

/** Reads again the stretches of which rows are on the screen. */
async function rereadVisible(signal: AbortSignal): Promise<void> {
  const query = shownQuery.peek();
  if (query === undefined || query !== fleetQuery.peek() || isListLoading.peek()) return;
  const onScreen = stretches.filter(
    ({ first, count }) => first <= visible.last && first + count >= visible.first,
  );
  for (const { cursor, limit } of onScreen) {
    const outcome = await listDevices(query, { limit, cursor }, signal);
    if (outcome.kind === 'aborted' || query !== shownQuery.peek() || isPaused.peek()) return;
    if (outcome.kind !== 'answered') {
      noteFailure(outcome);
      return;
    }
    for (const device of outcome.value.items) applyDevice(device);
    listTotal.value = outcome.value.total;
    listAsOf.value = outcome.value.asOf;
    noteAnswer(outcome.serverTime, outcome.value.asOf ?? serverNow());
  }
  await readOn();
}

/** Keeps the list in step with the address and with the fleet, for as long as the page lives. */
export function startFleet(): void {
  effect(() => {
    const query = fleetQuery.value;
    listPlace.scrollTop = 0;
    listPlace.activeRow = 0;
    void readFromStart(query);
  });
  effect(() => {
    if (view.value.view === 'fleet') revalidate();
  });
  startPoll({
    everyMs: () => (link.peek().kind === 'live' ? POLL_BESIDE_STREAM_MS : POLL_MS),
    run: async (signal) => {
      if (view.peek().view !== 'fleet') return;
      // What failed to load at all is tried anew as a whole.
      if (listFailure.peek() !== undefined) await readFromStart(fleetQuery.peek());
      else await rereadVisible(signal);
    },
  });
}
