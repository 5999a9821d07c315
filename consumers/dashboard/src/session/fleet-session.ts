import { batch, computed, effect, signal } from '@preact/signals';
import type { DeviceJson, FleetSummary, WholeDeviceList } from '@twinstream/api-contract';
import { LABELS, LIMIT_MAX } from '@twinstream/api-contract/values';
import { listDevices, readSummary } from '../api/query-api.ts';
import type { Failure, Outcome } from '../api/request.ts';
import { isInOrder } from '../model/fleet-order.ts';
import type { FleetQuery } from '../model/fleet-query.ts';
import { fleetQuery, view } from './address.ts';
import { isPaused, link, noteAnswer, noteAsOf, noteFailure, revalidate } from './connection.ts';
import { startPoll } from './poll.ts';
import { isNewer, recentDevices } from './recent-devices.ts';

/** The first answer is small, so that the first screen is quick; the others are as large as the API allows. */
const FIRST_LIMIT = 100;
/** Rows are read ahead of the scroll by as much. */
const AHEAD_ROWS = 200;
/** Most rows held; beyond it the page asks for a narrower filter. */
export const ROWS_MAX = 200_000;
/** Without a stream the visible rows are read again so often. */
const POLL_MS = 2_500;
/** Beside a stream only the total is asked for. */
const POLL_BESIDE_STREAM_MS = 10_000;

/** A stretch of the list that came in one answer and can be requested again. */
interface Stretch {
  readonly cursor: string | undefined;
  readonly limit: number;
  readonly first: number;
  readonly count: number;
  /** Rises with each gap in what was heard since; see `gaps`. */
  readGaps: number;
}

/** Ids in the order in which the list was read. Rows change in place and never move until the list is read again. */
export const rowIds = signal<readonly string[]>([]);
/** Devices that were listed and no longer meet the filter. They stay in their place. */
export const leftIds = signal<ReadonlySet<string>>(new Set());
export const isListComplete = signal(false);
export const listFailure = signal<Failure | undefined>(undefined);
/** The list was read once, and cannot be read again now. */
export const rereadFailure = signal<Failure | undefined>(undefined);
export const isListLoading = signal(true);
/** Rises when any row changed: at most once a frame. */
export const rowsVersion = signal(0);
/** The query that the rows shown belong to, which lags behind the address while an answer is awaited. */
export const shownQuery = signal<FleetQuery | undefined>(undefined);
/** Whether rows on the screen are no longer in the order of the list: they change in place. */
export const isOutOfOrder = signal(false);
/** Whether a device of the list has sent late events: otherwise their column is empty. */
export const hasLate = signal(false);
/** Where the update stream goes on after the list; undefined before it was read. */
export const listEventId: { value: string | undefined } = { value: undefined };
/** Where the viewer is in the list, kept while another view is open. */
export const listPlace = { scrollTop: 0, activeRow: 0 };

const newcomers = signal<ReadonlySet<string>>(new Set());
/** How many devices the API said there are for this query when the list was read, and says now; undefined before. */
const totalAtStart = signal<number | undefined>(undefined);
const totalNow = signal<number | undefined>(undefined);

/** Rows that the scroll bar stands for: as many as there are, loaded or not. */
export const rowCount = computed(() =>
  isListComplete.value
    ? rowIds.value.length
    : Math.max(rowIds.value.length, Math.min(totalAtStart.value ?? 0, ROWS_MAX)),
);

/** Devices that belong into the list by now and are not in it. */
export const newcomerCount = computed(() => {
  // Where the stream tells of those that left, it tells of those that came, too.
  const byTotal = leftIds.value.size > 0 ? 0 : (totalNow.value ?? 0) - (totalAtStart.value ?? 0);
  return Math.max(newcomers.value.size, byTotal, 0);
});

/** Devices whose attributes are offered as columns and filters. */
const NAMED_ROWS = 200;

/** Names of attributes that devices at the top of the list have, labels left out. */
export const attributeNames = computed((): readonly string[] => {
  const names = rowIds.value
    .slice(0, NAMED_ROWS)
    .flatMap((deviceId) => Object.keys(devices.get(deviceId)?.attributes ?? {}));
  return [...new Set(names)].filter((name) => !LABELS.some((label) => label === name)).sort();
});

const devices = new Map<string, DeviceJson>();
const recent = recentDevices();
let stretches: Stretch[] = [];
let nextCursor: string | undefined;
let listing = new AbortController();
let isReadingOn = false;
let visible = { first: 0, last: 0 };
let onScreen: ReadonlySet<string> = new Set();
let isFlushDue = false;
/** How often something may have been missed. A stretch that was read before the last time is read again when it is seen. */
let gaps = 0;

export function deviceOf(deviceId: string): DeviceJson | undefined {
  return devices.get(deviceId);
}

/** Has the rows redrawn, where one of those on the screen changed. */
function flushSoon(deviceIds: readonly string[]): void {
  if (isFlushDue || !deviceIds.some((deviceId) => onScreen.has(deviceId))) return;
  isFlushDue = true;
  requestAnimationFrame(() => {
    isFlushDue = false;
    rowsVersion.value += 1;
    checkOrder();
  });
}

/** Looks at the rows on the screen alone: more would cost too much at each change. */
function checkOrder(): void {
  const query = shownQuery.peek();
  if (query === undefined || isOutOfOrder.peek()) return;
  const rows = rowIds.peek().slice(visible.first, visible.last);
  const shown = rows.flatMap((deviceId) => devices.get(deviceId) ?? []);
  isOutOfOrder.value = !isInOrder(shown, query);
}

function hold(device: DeviceJson): void {
  devices.set(device.deviceId, device);
  if (device.counts.late > 0) hasLate.value = true;
}

function noteListAnswer({
  serverTime,
  value,
}: Extract<Outcome<FleetSummary | WholeDeviceList>, { kind: 'answered' }>): void {
  rereadFailure.value = undefined;
  noteAnswer(serverTime);
  noteAsOf('fleet', Date.parse(value.asOf));
}

/** Takes in what was heard of a device: in place where it is listed, as a newcomer where it is not. */
export function applyDevice(device: DeviceJson): void {
  const { deviceId } = device;
  recent.hear(device);
  const known = devices.get(deviceId);
  if (known !== undefined) {
    if (!isNewer(device, known)) return;
    hold(device);
    if (leftIds.peek().has(deviceId))
      leftIds.value = new Set([...leftIds.peek()].filter((id) => id !== deviceId));
    flushSoon([deviceId]);
    return;
  }
  // Where the list was not read to its end, a device that is not held may simply lie further down.
  if (!isListComplete.peek() || newcomers.peek().has(deviceId)) return;
  newcomers.value = new Set(newcomers.peek()).add(deviceId);
}

/** Takes in that devices no longer meet the filter. Listed ones stay where they are, marked; newcomers are forgotten. */
export function applyLeave(deviceIds: readonly string[]): void {
  const listed = deviceIds.filter((deviceId) => devices.has(deviceId));
  if (listed.length > 0) {
    leftIds.value = new Set([...leftIds.peek(), ...listed]);
  }
  const waiting = newcomers.peek();
  if (deviceIds.some((deviceId) => waiting.has(deviceId))) {
    newcomers.value = new Set([...waiting].filter((deviceId) => !deviceIds.includes(deviceId)));
  }
}

/** Records that changes may have been missed: what is on the screen is read again now, the rest when it is seen. */
export function noteGap(): void {
  gaps += 1;
  void rereadVisible(listing.signal);
}

/** Reads the list from its start. Rows shown before stay until the answer is there. */
export async function readFromStart(query: FleetQuery): Promise<void> {
  listing.abort();
  listing = new AbortController();
  const { signal } = listing;
  const readGaps = gaps;
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
  const { devices: items, cursor, total } = outcome.value;
  batch(() => {
    devices.clear();
    hasLate.value = false;
    isOutOfOrder.value = false;
    for (const device of items) hold(recent.newestOf(device));
    stretches = [{ cursor: undefined, limit: FIRST_LIMIT, first: 0, count: items.length, readGaps }];
    nextCursor = cursor;
    rowIds.value = items.map(({ deviceId }) => deviceId);
    newcomers.value = new Set();
    leftIds.value = new Set();
    totalAtStart.value = total;
    totalNow.value = total;
    isListComplete.value = cursor === undefined;
    listFailure.value = undefined;
    listEventId.value = outcome.value.lastEventId;
    shownQuery.value = query;
    rowsVersion.value += 1;
    noteListAnswer(outcome);
  });
  noteOnScreen();
  await readOn();
}

/** Tells which rows are on the screen, so that they are there and stay fresh. */
export function showRows(first: number, last: number): void {
  visible = { first, last };
  noteOnScreen();
  void readOn();
  if (visibleStretches().some(({ readGaps }) => readGaps < gaps)) void rereadVisible(listing.signal);
}

function noteOnScreen(): void {
  onScreen = new Set(rowIds.peek().slice(visible.first, visible.last));
}

function visibleStretches(): readonly Stretch[] {
  return stretches.filter(({ first, count }) => first <= visible.last && first + count >= visible.first);
}

/** The API no longer keeps the order of this list: only its start can be read again. */
function isExpired(outcome: Outcome<WholeDeviceList>): boolean {
  return outcome.kind === 'refused' && outcome.status === 410;
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
    const readGaps = gaps;
    const outcome = await listDevices(query, { limit: LIMIT_MAX, cursor: nextCursor }, signal);
    if (outcome.kind === 'aborted' || signal.aborted) return;
    if (isExpired(outcome)) {
      void readFromStart(query);
      return;
    }
    if (outcome.kind !== 'answered') {
      rereadFailure.value = outcome;
      noteFailure(outcome);
      break;
    }
    appendStretch(outcome.value.devices, outcome.value.cursor, readGaps);
    noteListAnswer(outcome);
  }
  isReadingOn = false;
}

function appendStretch(items: readonly DeviceJson[], cursor: string | undefined, readGaps: number): void {
  const held = rowIds.peek();
  const added: string[] = [];
  for (const device of items) {
    if (!devices.has(device.deviceId)) added.push(device.deviceId);
    hold(recent.newestOf(device));
  }
  batch(() => {
    stretches.push({
      cursor: nextCursor,
      limit: LIMIT_MAX,
      first: held.length,
      count: added.length,
      readGaps,
    });
    nextCursor = cursor;
    rowIds.value = [...held, ...added];
    isListComplete.value = cursor === undefined;
  });
  noteOnScreen();
}

/** Reads again the stretches of which rows are on the screen. */
async function rereadVisible(signal: AbortSignal): Promise<void> {
  const query = shownQuery.peek();
  if (query === undefined || query !== fleetQuery.peek() || isListLoading.peek()) return;
  for (const stretch of visibleStretches()) {
    stretch.readGaps = gaps;
    const outcome = await listDevices(query, { limit: stretch.limit, cursor: stretch.cursor }, signal);
    if (outcome.kind === 'aborted' || query !== shownQuery.peek() || isPaused.peek()) return;
    if (isExpired(outcome)) return readFromStart(query);
    if (outcome.kind !== 'answered') {
      stretch.readGaps = -1;
      rereadFailure.value = outcome;
      noteFailure(outcome);
      return;
    }
    for (const device of outcome.value.devices) applyDevice(device);
    totalNow.value = outcome.value.total;
    noteListAnswer(outcome);
  }
}

async function recount(signal: AbortSignal): Promise<void> {
  const query = shownQuery.peek();
  if (query === undefined || query !== fleetQuery.peek() || isListLoading.peek()) return;
  const { sort: _sort, order: _order, ...filter } = query;
  const outcome = await readSummary(filter, signal);
  if (outcome.kind === 'aborted' || query !== shownQuery.peek()) return;
  if (outcome.kind !== 'answered') {
    rereadFailure.value = outcome;
    noteFailure(outcome);
    return;
  }
  totalNow.value = outcome.value.total;
  noteListAnswer(outcome);
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
      // What failed to load at all is tried again as a whole.
      if (listFailure.peek() !== undefined) await readFromStart(fleetQuery.peek());
      else if (link.peek().kind === 'live') await recount(signal);
      else await rereadVisible(signal);
      await readOn();
    },
  });
}
