import type { StoredEvent } from './event-page.ts';

/**
 * What makes an event itself where its source does not count: a key, which says that two records are one event, and nothing
 * of their order. A mapping makes it and puts it into the event's text, so that everything that reads the text knows it.
 */
export interface EventKey {
  /** Hash of the key: {@link KEY_CHARACTERS} of base64url, 12 bytes. */
  readonly key: string;
  /** A copy is recognized while fewer events than this were accepted since, from 1 to {@link KEY_WINDOW_EVENTS_MAX}. */
  readonly eventsMax: number;
  /** How far apart the arrivals of copies may be, in milliseconds; absent: any distance. */
  readonly withinMs?: number;
}

export const KEY_CHARACTERS = 16;
export const KEY_WINDOW_EVENTS = 64;
/** A window is read from the pages of its device where no memory has it. */
export const KEY_WINDOW_EVENTS_MAX = 512;

/** The member of an event's text that holds its key, without the parts of the window that are the default. */
export function keyMember({ key, eventsMax, withinMs }: EventKey): object {
  return {
    key,
    ...(eventsMax === KEY_WINDOW_EVENTS ? {} : { window: eventsMax }),
    ...(withinMs === undefined ? {} : { windowMs: withinMs }),
  };
}

const KEY_START = '},"source":{"key":"';
const KEY_MEMBER =
  /\},"source":\{"key":"([\w-]{16})"(?:,"window":(\d{1,3}))?(?:,"windowMs":(\d{1,12}))?\},"data":/y;

/** The key in the text of an event that a mapping made; undefined where it has none. */
export function keyOf(text: string): EventKey | undefined {
  const start = text.indexOf(KEY_START);
  // What stands in the data of an event is not a member of the event itself.
  if (start < 0 || text.lastIndexOf('"data":', start) >= 0) return undefined;
  KEY_MEMBER.lastIndex = start;
  const [, key, window, windowMs] = KEY_MEMBER.exec(text) ?? [];
  if (key === undefined) return undefined;
  const eventsMax = window === undefined ? KEY_WINDOW_EVENTS : Number(window);
  return windowMs === undefined ? { key, eventsMax } : { key, eventsMax, withinMs: Number(windowMs) };
}

/** What the recognition of copies asks of a stored event. */
export interface KeyTrace {
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly key: string | undefined;
  /** It was not accepted in the order of its shard: it does not count among the events between two others. */
  readonly isLate: boolean;
}

export function keyTrace({
  arrivalTime,
  text,
  late,
  repaired,
}: Pick<StoredEvent, 'arrivalTime' | 'text' | 'late' | 'repaired'>): KeyTrace {
  return { arrivalTime, key: keyOf(text)?.key, isLate: late !== undefined || repaired === true };
}

/** The end of a device's chain, as far as it is known. */
export interface RecentKeys {
  /** In the order of acceptance, without a gap. */
  readonly traces: readonly KeyTrace[];
  /** What was accepted before them arrived at or before it, milliseconds since 1970; 0 where they are all there is. */
  readonly arrivalMaxBefore: number;
  /** How many are kept. */
  readonly tracesMax: number;
}

/** The number of traces that decide about a window of `eventsMax` events, also where some of these have overtaken the one asked for. */
export function tracesFor(eventsMax: number): number {
  return 2 * eventsMax;
}

/** Those of a chain to which events were added. */
export function withRecent(recent: RecentKeys, events: readonly StoredEvent[]): RecentKeys {
  if (events.length === 0) return recent;
  const { traces, tracesMax } = recent;
  const all = [...traces, ...events.map(keyTrace)];
  const dropped = all.slice(0, Math.max(0, all.length - tracesMax));
  const arrivalMaxBefore = dropped.reduce(
    (max, { arrivalTime }) => Math.max(max, arrivalTime),
    recent.arrivalMaxBefore,
  );
  return { traces: all.slice(dropped.length), arrivalMaxBefore, tracesMax };
}

/** What is stored of a device around the place of an event. */
export interface KeyedChain extends Pick<RecentKeys, 'arrivalMaxBefore'> {
  /** Accepted before the event was decided about: to its place where its shard has passed over that, otherwise to the end. */
  readonly before: readonly KeyTrace[];
  /** Accepted since. */
  readonly after: readonly KeyTrace[];
}

/**
 * Whether a copy of an event is stored: one of the same key that was accepted
 *
 * - before it, and fewer than `eventsMax` events since; or fewer of those that were accepted in order arrived between the two, which
 *   tells where one of two shards has come further than the other. What lies before a place never changes, so that
 *   a copy that was dropped once is dropped again;
 * - after its place, and fewer than `eventsMax` events arrived between the two: it was given up, and its copy was not.
 *
 * `unknown` where more of the chain must be read; {@link isWindowKnown} tells for all keys.
 */
export function findCopy(
  window: EventKey,
  arrivalTime: number,
  chain: KeyedChain,
): 'copy' | 'none' | 'unknown' {
  const { key, eventsMax, withinMs = Number.POSITIVE_INFINITY } = window;
  const { before, after, arrivalMaxBefore } = chain;
  const isSame = (trace: KeyTrace) =>
    trace.key === key && Math.abs(trace.arrivalTime - arrivalTime) <= withinMs;
  for (let index = before.length - 1; index >= 0; index -= 1) {
    const trace = before[index] as KeyTrace;
    if (!isSame(trace)) continue;
    if (before.length - index <= eventsMax) return 'copy';
    const isExact = Math.min(trace.arrivalTime, arrivalTime) >= arrivalMaxBefore;
    if (isExact && countSince(before, index, arrivalTime) < eventsMax) return 'copy';
  }
  for (const trace of after) {
    if (!isSame(trace) || Math.min(trace.arrivalTime, arrivalTime) < arrivalMaxBefore) continue;
    const between = [trace.arrivalTime, arrivalTime] as const;
    if (countBetween(before, between) + countBetween(after, between) < eventsMax) return 'copy';
  }
  return isWindowKnown(window, arrivalTime, chain) ? 'none' : 'unknown';
}

/** Whether what was accepted before these events cannot hold a copy, whatever its key. */
export function isWindowKnown(
  { eventsMax, withinMs = Number.POSITIVE_INFINITY }: EventKey,
  arrivalTime: number,
  { before, arrivalMaxBefore }: Pick<KeyedChain, 'before' | 'arrivalMaxBefore'>,
): boolean {
  if (arrivalMaxBefore === 0 || arrivalMaxBefore < arrivalTime - withinMs) return true;
  if (before.length < eventsMax || arrivalMaxBefore > arrivalTime) return false;
  let count = 0;
  for (const trace of before) {
    const isBetween = trace.arrivalTime >= arrivalMaxBefore && trace.arrivalTime <= arrivalTime;
    if (isBetween && !trace.isLate) count += 1;
  }
  return count >= eventsMax;
}

/** Events accepted in order that came after one of them and arrived neither before it nor after a time; of equal arrivals, those after it. */
function countSince(traces: readonly KeyTrace[], index: number, arrivalTime: number): number {
  const from = traces[index] as KeyTrace;
  if (from.arrivalTime > arrivalTime) return countBetween(traces, [from.arrivalTime, arrivalTime]);
  let count = 0;
  for (const [at, trace] of traces.entries()) {
    if (trace.isLate || trace.arrivalTime > arrivalTime) continue;
    if (trace.arrivalTime > from.arrivalTime || (trace.arrivalTime === from.arrivalTime && at > index))
      count += 1;
  }
  return count;
}

/** Events accepted in order that arrived between two times, neither included. */
function countBetween(traces: readonly KeyTrace[], [one, other]: readonly [number, number]): number {
  const [low, high] = [Math.min(one, other), Math.max(one, other)];
  let count = 0;
  for (const { arrivalTime, isLate } of traces) {
    if (!isLate && arrivalTime > low && arrivalTime < high) count += 1;
  }
  return count;
}
