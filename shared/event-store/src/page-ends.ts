import type { EventPage, JsonObject, StoredEvent } from '@twinstream/device-model';
import { compareWithinShard } from '@twinstream/stream-model';
import { asArray, asNumber, asText, optional } from './json-members.ts';
import { STEPS_ORIGIN, stepBetween, takeStep } from './position-steps.ts';

/** What a page says of everything that it covers, the dropped duplicates included. */
type PageEnds = Pick<EventPage, 'through' | 'throughArrivalTime' | 'lastArrivalTime' | 'heardTime'>;

/*
 * In a page without duplicates its ends follow from its events, and are left out of the body:
 *
 * - through: [position as a step from the last event, arrival], where that is not the highest event's
 * - lastArrivalTime: where it is not the latest among the events
 * - heardTime: where it is not the latest among the device's own events; null where there is none
 */
export function endsDocument(page: EventPage): JsonObject {
  const { events, through, throughArrivalTime, lastArrivalTime, heardTime } = page;
  const highest = highestOf(events);
  const followsThrough =
    highest !== undefined &&
    compareWithinShard(highest.place, through) === 0 &&
    highest.arrivalTime === throughArrivalTime;
  return {
    ...(followsThrough ? {} : { through: [stepBetween(placeOfLast(events), through), throughArrivalTime] }),
    ...(lastArrivalTime === latestOf(events) ? {} : { lastArrivalTime }),
    ...(heardTime === latestOf(events.filter(isOwn)) ? {} : { heardTime: heardTime ?? null }),
  };
}

/** Inverse of {@link endsDocument}. Throws TypeError or RangeError for a document that is none. */
export function readEnds(body: JsonObject, events: readonly StoredEvent[]): PageEnds {
  const through = optional(body.through, asArray);
  const end =
    through === undefined
      ? highestOf(events)
      : { place: takeStep(placeOfLast(events), asText(through[0])), arrivalTime: asNumber(through[1]) };
  const lastArrivalTime = optional(body.lastArrivalTime, asNumber) ?? latestOf(events);
  if (end === undefined || lastArrivalTime === undefined)
    throw new TypeError('a page without events needs ends');
  const heardTime =
    body.heardTime === undefined ? latestOf(events.filter(isOwn)) : (body.heardTime ?? undefined);
  return {
    through: end.place,
    throughArrivalTime: end.arrivalTime,
    lastArrivalTime,
    ...(heardTime === undefined ? {} : { heardTime: asNumber(heardTime) }),
  };
}

function placeOfLast(events: readonly StoredEvent[]) {
  return events.at(-1)?.place ?? STEPS_ORIGIN;
}

function highestOf(events: readonly StoredEvent[]): StoredEvent | undefined {
  let highest: StoredEvent | undefined;
  for (const stored of events) {
    if (highest === undefined || compareWithinShard(stored.place, highest.place) > 0) highest = stored;
  }
  return highest;
}

function latestOf(events: readonly StoredEvent[]): number | undefined {
  let latest: number | undefined;
  for (const { arrivalTime } of events) {
    if (latest === undefined || arrivalTime > latest) latest = arrivalTime;
  }
  return latest;
}

/** Corrections come from elsewhere. */
function isOwn({ event }: StoredEvent): boolean {
  return event.correction === undefined;
}
