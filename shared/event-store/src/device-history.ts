import {
  type ArrivedEvent,
  compareVersions,
  type DeviceHistory,
  type DeviceState,
  type EventPage,
  eventTimeMs,
  isBelowHighWaterMark,
  isCopy,
  isOvertaken,
  type StoredEvent,
} from '@twinstream/device-model';
import { compareWithinShard, type Position, positionKey, type ShardId } from '@twinstream/stream-model';
import { completeReceipts } from './complete-receipts.ts';
import type { EventStore, PageKey } from './event-store.ts';

export interface DeviceHistoryQuery {
  readonly shardId: ShardId;
  /** The events that are to be planned against this history; it answers for their positions alone. */
  readonly arrived: readonly ArrivedEvent[];
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
}

/**
 * What the event store knows of a device as of the state's own page, for {@link planPage}. Reads no more than these
 * events can ask for:
 *
 * - complete receipts, only where the state has forgotten some and an event is counted (also by its source) or a correction;
 * - whether events without an identity of their own at or below the high-water mark of their shard are stored: pages from the one in which the earliest of
 *   them may stand;
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
  { shardId, arrived, signal }: DeviceHistoryQuery,
): Promise<DeviceHistory> {
  const needsReceipts = arrived.some(
    ({ event, sourceCounter }) =>
      event.identity !== undefined || event.correction !== undefined || sourceCounter !== undefined,
  );
  const receipts = needsReceipts ? await completeReceipts(store, state, signal) : state.receipts;
  const questions = questionsOf(state, shardId, arrived);
  if (questions.size > 0) await answer(store, state, shardId, [...questions.values()], signal);
  const questionAt = (position: Position): Question => {
    const question = questions.get(positionKey(position));
    if (question === undefined) throw new RangeError(`history was not loaded for ${positionKey(position)}`);
    return question;
  };
  return {
    receipts,
    has: (position) => questionAt(position).isStored,
    copyOf: (position) => questionAt(position).copy,
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
): Map<string, Question> {
  const questions = new Map<string, Question>();
  for (const event of arrived) {
    const { place, sourceCounter } = event;
    if (event.event.identity !== undefined || event.event.correction !== undefined) continue;
    const isAsked =
      isBelowHighWaterMark(state, shardId, event) ||
      (sourceCounter !== undefined && isOvertaken(state, shardId, event));
    if (!isAsked) continue;
    questions.set(positionKey({ shardId, ...place }), { arrived: event, isStored: false });
  }
  return questions;
}

async function answer(
  store: EventStore,
  state: DeviceState,
  shardId: ShardId,
  questions: readonly Question[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { deviceId, arrivalMax, page } = state;
  const earliest = questions.reduce(
    (least, { arrived }) => Math.min(least, arrived.arrivalTime),
    Number.POSITIVE_INFINITY,
  );
  const from = await store.lastKeyBelow(deviceId, earliest, signal);
  const to = { arrivalMaxBefore: arrivalMax, page };
  for await (const later of store.pages(deviceId, { from, to, consistent: true, signal })) {
    for (const question of questions) learn(question, shardId, later);
  }
  if (from === undefined) return;
  let open = questions.filter((question) => isOpen(question, from));
  if (open.length === 0) return;
  const backwards = { to: keyBelow(from), order: 'descending', consistent: true, signal } as const;
  for await (const earlier of store.pages(deviceId, backwards)) {
    for (const question of open) learn(question, shardId, earlier);
    open = open.filter((question) => isOpen(question, earlier));
    if (open.length === 0) return;
  }
}

/** Whether a page before this one may hold what is asked for. */
function isOpen({ isStored, copy, nearest }: Question, { arrivalMaxBefore }: PageKey): boolean {
  return (
    !isStored && copy === undefined && (nearest === undefined || nearest.arrivalTime <= arrivalMaxBefore)
  );
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
