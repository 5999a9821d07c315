import type { Aggregate, Basis, SeriesBucket, SeriesGap } from '@twinstream/api-contract';
import { type DeviceId, eventTimeMs, numberOf } from '@twinstream/device-model';
import { type EventStore, type HistoryCursor, type HistoryEvent, readHistory } from '@twinstream/event-store';
import { isoTime } from './device-json.ts';

export interface SeriesQuery {
  readonly deviceId: DeviceId;
  readonly attribute: string;
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  /** Milliseconds since 1970, after `fromMs`. */
  readonly toMs: number;
  readonly intervalMs: number;
  readonly aggregate: Aggregate;
  readonly basis: Basis;
}

export interface Series {
  readonly buckets: SeriesBucket[];
  readonly gaps: SeriesGap[];
  /** False where more events are stored than are read for one answer: the last buckets may lack some. */
  readonly isComplete: boolean;
}

/** Events that are read for one answer. */
const EVENTS_MAX = 50_000;
const EVENTS_AT_ONCE = 1_000;
/** By the devices' clocks, an event counts where it arrived no earlier than so long before the range: clocks run ahead. */
const CLOCK_AHEAD_MS_MAX = 86_400_000;

/** What is known of one event, and of the corrections of it. */
interface Sample {
  readonly timeMs: number;
  /** Undefined where the event did not set the attribute to a number. */
  value: number | undefined;
  revision: number;
}

/**
 * Numbers of one attribute in buckets of time, as they are stored now: a correction takes the place of what it corrects, at the
 * time of that event. Events come in either by arrival or by their own time; a late one is where it belongs.
 */
export async function readSeries(
  store: EventStore,
  query: SeriesQuery,
  signal: AbortSignal,
): Promise<Series> {
  const samples = new Map<string, Sample>();
  let cursor: HistoryCursor | undefined;
  let eventCount = 0;
  do {
    const answer = await readHistory(store, {
      deviceId: query.deviceId,
      ...rangeOf(query),
      limit: EVENTS_AT_ONCE,
      ...(cursor === undefined ? {} : { cursor }),
      signal,
    });
    for (const stored of answer.events) take(samples, stored, query);
    eventCount += answer.events.length;
    cursor = answer.cursor;
  } while (cursor !== undefined && eventCount < EVENTS_MAX);
  return { ...bucketsOf(samples.values(), query), isComplete: cursor === undefined };
}

/** A correction arrives after what it corrects, perhaps after the range. */
function rangeOf({ basis, fromMs }: SeriesQuery) {
  return { from: basis === 'arrival' ? fromMs : Math.max(0, fromMs - CLOCK_AHEAD_MS_MAX) };
}

function take(samples: Map<string, Sample>, stored: HistoryEvent, { attribute, basis }: SeriesQuery): void {
  const { event, version, arrivalTime } = stored;
  const { revision } = version;
  const key = keyOf(stored);
  const has = Object.hasOwn(event.data, attribute);
  const number = has ? numberOf(event.data[attribute]) : undefined;
  const known = samples.get(key);
  if (known !== undefined) {
    if (has && revision >= known.revision) Object.assign(known, { value: number, revision });
  } else if (revision === 0) {
    const timeMs = basis === 'arrival' ? arrivalTime : eventTimeMs(event.time);
    samples.set(key, { timeMs, value: number, revision });
  }
}

/** One for an event and its corrections. A late event without an identity shares the version of another. */
function keyOf({ event, version, late, shardId, place }: HistoryEvent): string {
  const { session, counter, ordinal } = version;
  const isShared = late !== undefined && event.identity === undefined && event.correction === undefined;
  return JSON.stringify(
    isShared ? [shardId, place.sequenceNumber, place.subSequenceNumber] : [session, counter, ordinal],
  );
}

function bucketsOf(
  samples: Iterable<Sample>,
  { fromMs, toMs, intervalMs, aggregate }: SeriesQuery,
): Pick<Series, 'buckets' | 'gaps'> {
  const inOrder = [...samples]
    .filter(({ timeMs, value }) => value !== undefined && timeMs >= fromMs && timeMs < toMs)
    .sort((a, b) => a.timeMs - b.timeMs);
  const byBucket = Map.groupBy(inOrder, ({ timeMs }) => Math.floor((timeMs - fromMs) / intervalMs));
  const buckets: SeriesBucket[] = [];
  const gaps: SeriesGap[] = [];
  let gapFromMs = fromMs;
  for (const [index, inBucket] of byBucket) {
    const startMs = fromMs + index * intervalMs;
    if (startMs > gapFromMs) gaps.push({ from: isoTime(gapFromMs), to: isoTime(startMs) });
    gapFromMs = Math.min(startMs + intervalMs, toMs);
    const values = inBucket.map(({ value = 0 }) => value);
    buckets.push({ time: isoTime(startMs), value: AGGREGATES[aggregate](values), count: values.length });
  }
  if (gapFromMs < toMs) gaps.push({ from: isoTime(gapFromMs), to: isoTime(toMs) });
  return { buckets, gaps };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Of at least one value, in the order of time. */
const AGGREGATES: Readonly<Record<Aggregate, (values: readonly number[]) => number>> = {
  average: (values) => sum(values) / values.length,
  min: (values) => values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
  max: (values) => values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  sum,
  count: (values) => values.length,
  first: (values) => values[0] ?? 0,
  last: (values) => values.at(-1) ?? 0,
};
