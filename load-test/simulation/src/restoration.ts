import type { DeviceState, EventPage, StoredEvent } from '@twinstream/device-model';
import { compareWithinShard, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import { canonicalText } from '@twinstream/verification';
import { Violation } from './violation.ts';

/** A chain before pages of it were deleted, or after they were put back. */
export interface Chain {
  readonly pages: readonly EventPage[];
  /** The fold of all of them. */
  readonly state: DeviceState;
}

/** Records that were not stored as they came. */
export interface LeftOut {
  /** True where the mapping gives records up: a source holds them, and the chain does not. */
  readonly hasGivenUp: boolean;
  /** Whether a record was given up, or was in quarantine before it was redriven. */
  has(shardId: ShardId, sequenceNumber: SequenceNumber): boolean;
}

/**
 * A page that was missing alone is as it was. Neighbours hold the same events, in the same order where they had come in
 * that of their shard, and the state after them is the same; the boundaries between them, and how many duplicates they count, may differ.
 */
export function checkRestored(
  before: Chain,
  after: Chain,
  missing: ReadonlySet<number>,
  leftOut: LeftOut,
): void {
  const { deviceId } = before.state;
  const { hasGivenUp } = leftOut;
  if (isAtCopyLeftOut(before, after, leftOut)) {
    checkContents(before, after);
    return;
  }
  for (const [index, page] of before.pages.entries()) {
    if (missing.has(page.page) && missingNeighbours(before.pages, page, missing) > 0) continue;
    const whole = after.pages[index];
    const isAsItWas = pageText(page) === pageText(whole) || (hasGivenUp && isWithCopiesGivenUp(page, whole));
    if (!isAsItWas) {
      throw new Violation('a page that was missing alone comes back as it was', `${deviceId} ${page.page}`);
    }
  }
  const isOrdered = !before.pages.some(
    (page) =>
      isOutOfOrder(before.pages, page) &&
      (missing.has(page.page) || missingNeighbours(before.pages, page, missing) === 2),
  );
  if (eventsText(before, isOrdered) !== eventsText(after, isOrdered)) {
    throw new Violation('missing neighbours come back with their events in order', deviceId);
  }
  if (stateText(before, hasGivenUp) !== stateText(after, hasGivenUp)) {
    throw new Violation('the state after restored pages is as it was', deviceId);
  }
}

/** How many of the page before it and the page after it are missing. A page that came late lies elsewhere, and parts no neighbours. */
function missingNeighbours(
  pages: readonly EventPage[],
  page: EventPage,
  missing: ReadonlySet<number>,
): number {
  const isNext = (other: EventPage) => missing.has(other.page) || !isOutOfOrder(pages, other);
  const before = pages.findLast((other) => other.page < page.page && isNext(other));
  const after = pages.find((other) => other.page > page.page && isNext(other));
  return [before, after].filter((other) => other !== undefined && missing.has(other.page)).length;
}

/**
 * Of two copies of an event either may have been left out at first: nothing in the chain tells which of their places the event had,
 * and after it the high-water marks and what else a state says of positions and arrivals.
 */
function isAtCopyLeftOut(before: Chain, after: Chain, leftOut: LeftOut): boolean {
  const placeOf = (shardId: ShardId, { place }: StoredEvent) =>
    `${shardId} ${place.sequenceNumber} ${place.subSequenceNumber}`;
  const places = new Set(
    before.pages.flatMap(({ shardId, events }) => events.map((event) => placeOf(shardId, event))),
  );
  return after.pages.some(({ shardId, events }) =>
    events.some(
      (event) => leftOut.has(shardId, event.place.sequenceNumber) && !places.has(placeOf(shardId, event)),
    ),
  );
}

/** The same events in the same order, and the same values after them. */
function checkContents(before: Chain, after: Chain): void {
  const [eventsBefore, eventsAfter] = [before, after].map(({ pages }) =>
    canonicalText(pages.flatMap(({ events }) => events.map(({ event }) => event))),
  );
  const [valuesBefore, valuesAfter] = [before, after].map(({ state }) =>
    canonicalText(new Map([...state.attributes].map(([name, { value }]) => [name, value]))),
  );
  if (eventsBefore === eventsAfter && valuesBefore === valuesAfter) return;
  throw new Violation('restored pages hold the events that they held', before.state.deviceId);
}

/**
 * Nothing tells of a page out of its shard's order whether a repair had appended it or a late delivery: the mark may be
 * gone, or be there where it was not.
 */
function pageText(page: EventPage | undefined): string {
  return canonicalText(page && { ...page, events: page.events.map(({ repaired: _, ...event }) => event) });
}

/** Records that were given up, and hold nothing but copies of stored events, become duplicates of the page that they lie next to. */
function isWithCopiesGivenUp(before: EventPage, after: EventPage | undefined): boolean {
  if (after === undefined || after.duplicates < before.duplicates) return false;
  if (after.firstArrivalTime > before.firstArrivalTime) return false;
  if (compareWithinShard(after.through, before.through) < 0) return false;
  const { duplicates, firstArrivalTime, through, throughArrivalTime } = before;
  return (
    pageText(before) === pageText({ ...after, duplicates, firstArrivalTime, through, throughArrivalTime })
  );
}

/** An uncounted event that came late has the stamp of the event before it: of the one in the page before, or so. */
function isStampedByNeighbour({ event, late }: Pick<StoredEvent, 'event' | 'late'>): boolean {
  return late !== undefined && isUncounted(event);
}

/** Its place is all that tells it from another. */
function isUncounted(event: StoredEvent['event']): boolean {
  return event.identity === undefined && event.correction === undefined;
}

/** True where the page was appended after others of its shard, or of one that came after it, that lie behind it. */
export function isOutOfOrder(pages: readonly EventPage[], page: EventPage): boolean {
  return pages.some(
    (other) =>
      other.page < page.page &&
      (other.shardId > page.shardId ||
        (other.shardId === page.shardId && compareWithinShard(other.through, page.through) > 0)),
  );
}

/**
 * Where pages lay out of order, a device had copies of its events in two shards, and nothing tells which of them came
 * first: a copy may stand for the event then, at its own place.
 */
function eventsText({ pages }: Chain, isOrdered: boolean): string {
  const texts = pages.flatMap(({ shardId, events }) =>
    events.map(({ version, repaired: _, place, arrivalTime, ...event }) =>
      canonicalText({
        ...event,
        ...(isOrdered || isUncounted(event.event) ? { shardId, place, arrivalTime } : {}),
        ...(isStampedByNeighbour(event) ? {} : { version }),
      }),
    ),
  );
  return (isOrdered ? texts : texts.sort()).join();
}

/**
 * What neither a stamp changes nor a record that was given up: with a copy in such a record a page reaches further, and with it
 * the high-water mark of its shard, as `isWithCopiesGivenUp` allows.
 */
function stateText({ pages, state }: Chain, hasGivenUp: boolean): string {
  const { duplicates: _, ...counts } = state.counts;
  const { marks, marksFloor, ...rest } = state;
  const compared = { ...rest, ...(hasGivenUp ? {} : { marks, marksFloor }), counts };
  if (!pages.some(({ events }) => events.some(isStampedByNeighbour))) return canonicalText(compared);
  const { attributes: __, status: ___, lastEventTime: ____, ...unstamped } = compared;
  return canonicalText(unstamped);
}
