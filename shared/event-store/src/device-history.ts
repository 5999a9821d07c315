import {
  type ArrivedEvent,
  compareVersions,
  type DeviceHistory,
  type DeviceState,
  type EventKey,
  type EventPage,
  eventTimeMs,
  findCopy,
  isBelowHighWaterMark,
  isCopy,
  isOvertaken,
  isWindowKnown,
  type KeyedChain,
  type KeyTrace,
  keyOf,
  keyTrace,
  type RecentKeys,
  type StoredEvent,
  tracesFor,
} from '@twinstream/device-model';
import { compareWithinShard, type Position, positionKey, type ShardId } from '@twinstream/stream-model';
import { requireNext, requireReached } from './chain-gap.ts';
import { completeReceipts } from './complete-receipts.ts';
import type { EventStore, PageKey } from './event-store.ts';

export interface DeviceHistoryQuery {
  readonly shardId: ShardId;
  /** The events that are to be planned against this history; it answers for their positions alone. */
  readonly arrived: readonly ArrivedEvent[];
  /** The end of the chain, where it is at hand. */
  readonly recent?: RecentKeys | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An event without an identity of its own, whose place in the store is in question. */
interface Question {
  readonly arrived: ArrivedEvent;
  isStored: boolean;
  /** The stored event of the same source counter and time. */
  copy?: StoredEvent;
  /** Nearest stored event before it in its own shard. */
  nearest?: StoredEvent;
  /** Newest stored event of any shard that is before it ({@link isNotAfter}). */
  newest?: StoredEvent;
  /** Present where a copy of it has the same key. */
  readonly key?: EventKey;
  /** How many of the events that are read stand before its place; absent where nothing has passed over it. */
  placeIndex?: number;
}

/** What was read of a chain in one stretch that ends with it. */
interface Stretch {
  /** In chain order. Filled where a question has a key. */
  readonly traces: KeyTrace[];
  /** Events arrived at or before it that stand before the stretch, milliseconds since 1970. */
  arrivalMaxBefore: number;
}

/**
 * What the event store knows of a device as of the state's own page, for {@link planPage}. Reads no more than these
 * events can ask for:
 *
 * - complete receipts, only where the state has forgotten some and an event is counted (also by its source) or a correction;
 * - whether events without an identity of their own at or below the high-water mark of their shard are stored: pages from the one in which the earliest of
 *   them may stand;
 * - for those with a key, also pages before that, as far as the window of copies reaches ({@link findCopy}); and for the next ones
 *   of the device, the pages at the end of the chain that hold the window, unless it is at hand;
 * - only for those that are not stored, the event before them, for which pages before that are read backwards until
 *   the nearest of the same shard is found: arrivals of one shard do not fall, so none nearer stands in a page that ended
 *   before the one found arrived. (Should a shard's arrivals fall, one a little farther may be taken.)
 *
 * The event before a position is the nearest in the same shard that is neither a correction nor late; where the shard
 * has none, the newest of any shard that is not after it. Every read that decides is consistent. Throws
 * `CHAIN_BROKEN` where a page is missing.
 */
export async function loadDeviceHistory(
  store: EventStore,
  state: DeviceState,
  { shardId, arrived, recent, signal }: DeviceHistoryQuery,
): Promise<DeviceHistory> {
  const needsReceipts = arrived.some(
    ({ event, sourceCounter }) =>
      event.identity !== undefined || event.correction !== undefined || sourceCounter !== undefined,
  );
  const receipts = needsReceipts ? await completeReceipts(store, state, signal) : state.receipts;
  const keysMax = windowAbove(state, shardId, arrived);
  const end =
    keysMax === 0 || reaches(recent, keysMax)
      ? recent
      : await recentKeys(store, state, tracesFor(keysMax), signal);
  const questions = questionsOf(state, shardId, arrived, end);
  const stretch: Stretch = { traces: [], arrivalMaxBefore: state.arrivalMax };
  if (questions.size > 0) await answer(store, state, shardId, [...questions.values()], stretch, signal);
  const questionAt = (position: Position): Question => {
    const question = questions.get(positionKey(position));
    if (question === undefined) throw new RangeError(`history was not loaded for ${positionKey(position)}`);
    return question;
  };
  return {
    receipts,
    has: (position) => questionAt(position).isStored,
    copyOf: (position) => questionAt(position).copy,
    hasCopyByKey: (position, key, accepted) => {
      const question = questions.get(positionKey(position));
      if (question === undefined) return undefined;
      return findCopy(key, question.arrived.arrivalTime, chainAround(question, stretch, accepted)) === 'copy';
    },
    ...(end === undefined ? {} : { recent: end }),
    eventBefore: (position) => {
      const { nearest, newest } = questionAt(position);
      return nearest ?? newest;
    },
  };
}

function questionsOf(
  state: DeviceState,
  shardId: ShardId,
  arrived: readonly ArrivedEvent[],
  end: RecentKeys | undefined,
): Map<string, Question> {
  const questions = new Map<string, Question>();
  for (const event of arrived) {
    const { place, arrivalTime, sourceCounter } = event;
    if (event.event.identity !== undefined || event.event.correction !== undefined) continue;
    const key = sourceCounter === undefined ? keyOf(event.text) : undefined;
    const isAsked =
      isBelowHighWaterMark(state, shardId, event) ||
      (sourceCounter !== undefined && isOvertaken(state, shardId, event)) ||
      (key !== undefined && !isKnownAt(end, key, arrivalTime));
    if (!isAsked) continue;
    const question = { arrived: event, isStored: false, ...(key === undefined ? {} : { key }) };
    questions.set(positionKey({ shardId, ...place }), question);
  }
  return questions;
}

function isKnownAt(end: RecentKeys | undefined, key: EventKey, arrivalTime: number): boolean {
  if (end === undefined) return false;
  const { traces: before, arrivalMaxBefore } = end;
  return isWindowKnown(key, arrivalTime, { before, arrivalMaxBefore });
}

/** The largest window of an event with a key above the high-water mark of its shard; 0 where there is none. */
function windowAbove(state: DeviceState, shardId: ShardId, arrived: readonly ArrivedEvent[]): number {
  let eventsMax = 0;
  for (const event of arrived) {
    if (event.event.identity !== undefined || event.event.correction !== undefined) continue;
    if (isBelowHighWaterMark(state, shardId, event)) continue;
    eventsMax = Math.max(eventsMax, keyOf(event.text)?.eventsMax ?? 0);
  }
  return eventsMax;
}

function reaches(recent: RecentKeys | undefined, eventsMax: number): boolean {
  return recent !== undefined && (recent.arrivalMaxBefore === 0 || recent.traces.length >= eventsMax);
}

/** The last `tracesMax` events of a chain, or a few more, from as few pages. Throws `CHAIN_BROKEN` where one is missing. */
async function recentKeys(
  store: EventStore,
  { deviceId, arrivalMax, page: last, counts }: DeviceState,
  tracesMax: number,
  signal: AbortSignal | undefined,
): Promise<RecentKeys> {
  const pages: EventPage[] = [];
  let [eventCount, expected] = [0, last];
  const to = { arrivalMaxBefore: arrivalMax, page: last };
  // One page more than the average number that holds these traces: a window is mostly one fetch.
  const pagesLikely = Math.ceil((tracesMax * last) / Math.max(1, counts.events)) + 1;
  const range = { to, order: 'descending', consistent: true, pagesLikely, signal } as const;
  for await (const page of store.pages(deviceId, range)) {
    requireNext({ deviceId, page: expected - 1 }, page);
    pages.push(page);
    eventCount += page.events.length;
    expected -= 1;
    if (eventCount >= tracesMax) break;
  }
  if (eventCount < tracesMax) requireReached({ deviceId, page: expected }, 0);
  const oldest = pages.at(-1);
  const traces = pages.toReversed().flatMap(({ events }) => events.map(keyTrace));
  return { traces, arrivalMaxBefore: oldest?.arrivalMaxBefore ?? 0, tracesMax };
}

/** What is stored around the place of an event, with what was accepted since. */
function chainAround(
  { placeIndex }: Question,
  { traces, arrivalMaxBefore }: Stretch,
  accepted: readonly KeyTrace[],
): KeyedChain {
  if (placeIndex === undefined) return { before: [...traces, ...accepted], after: [], arrivalMaxBefore };
  return {
    before: traces.slice(0, placeIndex),
    after: [...traces.slice(placeIndex), ...accepted],
    arrivalMaxBefore,
  };
}

async function answer(
  store: EventStore,
  state: DeviceState,
  shardId: ShardId,
  questions: readonly Question[],
  stretch: Stretch,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { deviceId, arrivalMax, page } = state;
  const earliest = questions.reduce(
    (least, { arrived }) => Math.min(least, arrived.arrivalTime),
    Number.POSITIVE_INFINITY,
  );
  const from = await store.lastKeyBelow(deviceId, earliest, signal);
  const to = { arrivalMaxBefore: arrivalMax, page };
  const keyed = questions.filter(({ key }) => key !== undefined);
  let reached = (from?.page ?? 1) - 1;
  for await (const later of store.pages(deviceId, { from, to, consistent: true, signal })) {
    if (keyed.length > 0) requireNext({ deviceId, page: reached }, later);
    reached = later.page;
    for (const question of questions) learn(question, shardId, later);
    for (const question of keyed) place(question, shardId, later, stretch.traces.length);
    if (keyed.length > 0) stretch.traces.push(...later.events.map(keyTrace));
  }
  if (keyed.length > 0) requireReached(state, reached);
  stretch.arrivalMaxBefore = from?.arrivalMaxBefore ?? 0;
  if (from === undefined) return;
  let open = questions.filter((question) => isOpen(question, from, stretch));
  if (open.length === 0) return;
  let next = from.page;
  const backwards = { to: keyBelow(from), order: 'descending', consistent: true, signal } as const;
  for await (const earlier of store.pages(deviceId, backwards)) {
    if (keyed.length > 0) requireNext({ deviceId, page: next - 2 }, earlier);
    next = earlier.page;
    for (const question of open) learn(question, shardId, earlier);
    stretch.traces.unshift(...earlier.events.map(keyTrace));
    stretch.arrivalMaxBefore = earlier.arrivalMaxBefore;
    for (const question of keyed) {
      if (question.placeIndex !== undefined) question.placeIndex += earlier.events.length;
    }
    open = open.filter((question) => isOpen(question, earlier, stretch));
    if (open.length === 0) return;
  }
}

/** Whether a page before this one may hold what is asked for. */
function isOpen(question: Question, { arrivalMaxBefore }: PageKey, stretch: Stretch): boolean {
  const { arrived, isStored, copy, nearest, key } = question;
  if (isStored || copy !== undefined) return false;
  if (key !== undefined) {
    const found = findCopy(key, arrived.arrivalTime, chainAround(question, stretch, []));
    if (found !== 'none') return found === 'unknown';
  }
  return nearest === undefined || nearest.arrivalTime <= arrivalMaxBefore;
}

/** Notes where in the chain its shard first passed over the place of an event: there it was decided about, unless it never came. */
function place(question: Question, shardId: ShardId, page: EventPage, tracesBefore: number): void {
  const { arrived } = question;
  if (question.placeIndex !== undefined || page.shardId !== shardId) return;
  if (compareWithinShard(page.through, arrived.place) < 0 || page.lastArrivalTime < arrived.arrivalTime)
    return;
  const earlier = page.events.filter(({ place }) => compareWithinShard(place, arrived.place) < 0);
  question.placeIndex = tracesBefore + earlier.length;
}

function keyBelow({ arrivalMaxBefore, page }: PageKey): PageKey {
  return { arrivalMaxBefore, page: page - 1 };
}

function learn(question: Question, shardId: ShardId, page: EventPage): void {
  for (const stored of page.events) {
    const { arrived } = question;
    const order = page.shardId === shardId ? compareWithinShard(stored.place, arrived.place) : undefined;
    if (order === 0) question.isStored = true;
    if (isCopy(stored, arrived)) question.copy = stored;
    if (isCorrectionOrLate(stored)) continue;
    const { place, version } = stored;
    if (order !== undefined && order < 0) {
      const { nearest } = question;
      if (nearest === undefined || compareWithinShard(place, nearest.place) > 0) question.nearest = stored;
    }
    if (!isNotAfter(stored, arrived)) continue;
    if (question.newest === undefined || compareVersions(version, question.newest.version) > 0) {
      question.newest = stored;
    }
  }
}

/** How far the clocks that stamp the arrivals of two shards may be apart. A guess: AWS names no bound. */
const ARRIVAL_SKEW_MAX_MS = 1_000;

/**
 * Whether a stored event of any shard is before one that has arrived: by arrival; and where its source has a counter, so that one
 * too many before it makes another identity, by the device's own time as far as arrivals may be apart.
 */
function isNotAfter(stored: StoredEvent, { event, arrivalTime, sourceCounter }: ArrivedEvent): boolean {
  if (sourceCounter === undefined) return stored.arrivalTime <= arrivalTime;
  if (stored.arrivalTime > arrivalTime + ARRIVAL_SKEW_MAX_MS) return false;
  return eventTimeMs(stored.event.time) <= eventTimeMs(event.time);
}

function isCorrectionOrLate({ event, late }: StoredEvent): boolean {
  return event.correction !== undefined || late !== undefined;
}
