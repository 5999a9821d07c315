import {
  type EventPage,
  type EventVersion,
  formatVersion,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseExactJson,
  parseVersion,
  readEvent,
  type StoredEvent,
  type Upcaster,
} from '@twinstream/device-model';
import { type ShardId, type ShardPosition, shardId } from '@twinstream/stream-model';
import { asArray, asNumber, asObject, asText, listOf, optional } from './json-members.ts';
import { endsDocument, readEnds } from './page-ends.ts';
import { STEPS_ORIGIN, stepBetween, takeStep } from './position-steps.ts';
import { upcastStored } from './upcast.ts';

/** Version of the body's format, apart from the schema version of the events in it. */
export const PAGE_BODY_FORMAT = 1;

/*
 * The body of a page is one JSON object. What follows from the events themselves is left out; every event stands in
 * `events` with its own text, byte for byte, one per line:
 *
 *   {"format":1,"frame":[…],"steps":"…","arrivals":[…],…,"events":[
 *   {"v":1,…},
 *   {"v":1,…}
 *   ]}
 *
 * - frame: [shard, duplicates, earliest arrival], what stands beside the body too; a shard by its number. Absent in pages
 *   that were written before 2026-12
 * - steps: positions, each as the step from the one before (position-steps.ts)
 * - arrivals: each less the one before, the first less the page's earliest; absent where all are equal
 * - stamps: [index, version] of events whose version does not follow from their identity or from the event before
 * - late: [index, change of gaps]; repaired: indices
 * - through, lastArrivalTime, heardTime: where they do not follow from the events (page-ends.ts)
 * - lengths: characters of each text, where a text holds the very line end that separates them
 */
const EVENTS_START = ',"events":[\n';
const EVENT_SEPARATOR = ',\n';
const EVENTS_END = '\n]}';

/** Where a page stands: what its key says. */
type PageHead = Pick<EventPage, 'deviceId' | 'page' | 'arrivalMaxBefore'>;

/** What a page says of all its events together, in its body and, for reads without the body, beside it. */
export type PageFrame = Pick<EventPage, 'shardId' | 'duplicates' | 'firstArrivalTime'>;

/** The body of a page, as JSON text. */
export function pageBody(page: EventPage): string {
  const { events } = page;
  const texts = events.map(({ text }) => text);
  const header = {
    format: PAGE_BODY_FORMAT,
    frame: frameDocument(page),
    ...placesOf(page),
    ...decisionsOf(events),
    ...endsDocument(page),
    ...(texts.some((text) => text.includes(EVENT_SEPARATOR))
      ? { lengths: texts.map(({ length }) => length) }
      : {}),
  };
  return JSON.stringify(header).slice(0, -1) + EVENTS_START + texts.join(EVENT_SEPARATOR) + EVENTS_END;
}

/** As Kinesis names shards ("CreateStream", API reference, read 2026-11); any other name stands as it is. */
const SHARD_NAME = /^shardId-(\d{12})$/;

function frameDocument({ shardId, duplicates, firstArrivalTime }: PageFrame): JsonValue {
  const number = SHARD_NAME.exec(shardId)?.[1];
  return [number === undefined ? shardId : Number(number), duplicates, firstArrivalTime];
}

function readFrame(value: JsonValue): PageFrame {
  const [shard, duplicates, firstArrivalTime] = asArray(value);
  return {
    shardId: readShard(shard),
    duplicates: asNumber(duplicates),
    firstArrivalTime: asNumber(firstArrivalTime),
  };
}

function readShard(shard: JsonValue | undefined): ShardId {
  return shardId(typeof shard === 'number' ? `shardId-${String(shard).padStart(12, '0')}` : asText(shard));
}

function placesOf({ events, firstArrivalTime }: EventPage): { steps?: string; arrivals?: readonly number[] } {
  if (events.length === 0) return {};
  let place = STEPS_ORIGIN;
  let arrivalTime = firstArrivalTime;
  let steps = '';
  const arrivals: number[] = [];
  for (const stored of events) {
    if (place !== STEPS_ORIGIN) steps += ',';
    steps += stepBetween(place, stored.place);
    arrivals.push(stored.arrivalTime - arrivalTime);
    place = stored.place;
    arrivalTime = stored.arrivalTime;
  }
  return arrivals.every((difference) => difference === 0) ? { steps } : { steps, arrivals };
}

function decisionsOf(events: readonly StoredEvent[]) {
  const stamps: [number, string][] = [];
  const late: [number, number][] = [];
  const repaired: number[] = [];
  let before: EventVersion | undefined;
  events.forEach((stored, index) => {
    if (!isImplied(stored, before)) {
      stamps.push([index, formatVersion(stored.version)]);
    }
    if (stored.late !== undefined) late.push([index, stored.late.gapChange]);
    if (stored.repaired === true) repaired.push(index);
    before = stored.version;
  });
  return {
    ...(stamps.length === 0 ? {} : { stamps }),
    ...(late.length === 0 ? {} : { late }),
    ...(repaired.length === 0 ? {} : { repaired }),
  };
}

/** Whether the version is the one that {@link impliedVersion} returns. */
function isImplied({ event, version }: StoredEvent, before: EventVersion | undefined): boolean {
  const { session, counter, ordinal, revision, position } = version;
  if (revision !== 0 || position !== undefined) return false;
  const { identity } = event;
  if (identity !== undefined) {
    return session === identity.session && counter === identity.counter && ordinal === 0;
  }
  return session === before?.session && counter === before.counter && ordinal === before.ordinal + 1;
}

/** The version that most events have: their own identity, or one ordinal more than the event before. */
function impliedVersion(
  { event }: Pick<StoredEvent, 'event'>,
  before: EventVersion | undefined,
): EventVersion | undefined {
  if (event.identity !== undefined) return { ...event.identity, ordinal: 0, revision: 0 };
  if (before === undefined) return undefined;
  const { session, counter, ordinal } = before;
  return { session, counter, ordinal: ordinal + 1, revision: 0 };
}

/**
 * Inverse of {@link pageBody}. Throws TypeError, RangeError or SyntaxError for a text that is none, and what upcasting throws.
 *
 * @param frameBeside what the attributes beside the body say; asked where the body itself does not
 */
export function readPageBody(
  text: string,
  head: PageHead,
  frameBeside: () => PageFrame,
  upcasters?: ReadonlyMap<number, Upcaster>,
): EventPage {
  const body = asObject(parseExactJson(text) as JsonValue);
  if (body.format !== PAGE_BODY_FORMAT) throw new TypeError(`unknown format ${String(body.format)}`);
  const frame = body.frame === undefined ? frameBeside() : readFrame(body.frame);
  const events = readEvents(body, frame.firstArrivalTime, textsOf(text, body), upcasters);
  if (events.some(({ event }) => event.deviceId !== head.deviceId)) {
    throw new TypeError('an event is of another device');
  }
  return { ...head, ...frame, ...readEnds(body, events), events };
}

/** The events' own texts, as they stand in the body. */
function textsOf(text: string, { lengths }: JsonObject): readonly string[] {
  const start = text.indexOf(EVENTS_START);
  if (start < 0 || !text.endsWith(EVENTS_END)) throw new TypeError('not the body of a page');
  const lines = text.slice(start + EVENTS_START.length, -EVENTS_END.length);
  if (lengths === undefined) return lines === '' ? [] : lines.split(EVENT_SEPARATOR);
  let at = 0;
  return asArray(lengths).map((length) => {
    const end = at + asNumber(length);
    const own = lines.slice(at, end);
    at = end + EVENT_SEPARATOR.length;
    return own;
  });
}

function readEvents(
  body: JsonObject,
  firstArrivalTime: number,
  texts: readonly string[],
  upcasters: ReadonlyMap<number, Upcaster> | undefined,
): readonly StoredEvent[] {
  const values = asArray(body.events);
  const steps = values.length === 0 ? [] : asText(body.steps).split(',');
  const arrivals = optional(body.arrivals, asArray);
  if (texts.length !== values.length || steps.length !== values.length)
    throw new TypeError('events are missing');
  const stamps = new Map(
    listOf(body.stamps, (entry) => [asNumber(asArray(entry)[0]), asText(asArray(entry)[1])]),
  );
  const late = new Map(
    listOf(body.late, (entry) => [asNumber(asArray(entry)[0]), asNumber(asArray(entry)[1])]),
  );
  const repaired = new Set(listOf(body.repaired, asNumber));
  let place: ShardPosition = STEPS_ORIGIN;
  let arrivalTime = firstArrivalTime;
  let before: EventVersion | undefined;
  return values.map((value, index) => {
    place = takeStep(place, steps[index] ?? '');
    arrivalTime += arrivals === undefined ? 0 : asNumber(arrivals[index]);
    const event = eventOf(value, upcasters);
    const stamp = stamps.get(index);
    const version = stamp === undefined ? impliedVersion({ event }, before) : parseVersion(stamp);
    if (version === undefined) throw new TypeError('an event has no version');
    before = version;
    const change = late.get(index);
    return {
      place,
      arrivalTime,
      event,
      text: texts[index] ?? '',
      version,
      ...(change === undefined ? {} : { late: { gapChange: change } }),
      ...(repaired.has(index) ? { repaired: true as const } : {}),
    };
  });
}

function eventOf(
  value: JsonValue,
  upcasters: ReadonlyMap<number, Upcaster> | undefined,
): StoredEvent['event'] {
  if (!isJsonObject(value)) throw new TypeError('an event is not an object');
  const event = readEvent(upcastStored(value, upcasters));
  if ('rejected' in event) throw new TypeError(`an event is not valid: ${event.rejected}`);
  return event;
}
