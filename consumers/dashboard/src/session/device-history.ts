import { batch, type ReadonlySignal, signal } from '@preact/signals';
import type { EventJson, PositionJson } from '@twinstream/api-contract';
import { LIMIT_MAX } from '@twinstream/api-contract/values';
import { listEvents } from '../api/query-api.ts';
import type { Failure, Outcome } from '../api/request.ts';
import { serverNow } from './clock.ts';
import { noteFailure } from './connection.ts';

/** Events read in one request: of a window, or further back. The newest win. */
export const STRETCH_EVENTS = 5_000;
/** Events of the window that has no span. */
const NEWEST_EVENTS = 1_000;
/** Most events held of one device. */
export const EVENTS_MAX = 20_000;
/** Answers read for one stretch. An answer may be empty and still go on; a search through little finds its end here. */
const REQUESTS_MAX = 50;
/** Events of one answer when looking for newer ones, and held events among which the join is looked for. */
const NEWER_LIMIT = 100;
const KNOWN_TAIL = 500;

/** A stretch of one device's history, kept up with what comes. */
export interface DeviceHistory {
  /** In chain order, oldest first. */
  readonly events: ReadonlySignal<readonly EventJson[]>;
  readonly isLoading: ReadonlySignal<boolean>;
  /** Older events exist beyond those held. */
  readonly isCut: ReadonlySignal<boolean>;
  readonly failure: ReadonlySignal<Failure | undefined>;
  /** Shows the events that arrived in the last so many milliseconds; undefined: the newest, however old. */
  setWindow(windowMs: number | undefined): void;
  /** Goes further back. */
  readOlder(): Promise<void>;
  /** Takes in what was stored since, where the event at this position, the last one stored, is not held. */
  catchUp(last: PositionJson | null): Promise<void>;
  close(): void;
}

export function positionKey({ shardId, sequenceNumber, subSequenceNumber }: PositionJson): string {
  return `${shardId}:${sequenceNumber}:${subSequenceNumber}`;
}

/** Identity of a stored event within its device. */
export function eventKey(event: EventJson): string {
  return positionKey(event.position);
}

/** Events read backward, the newest first. */
interface Stretch {
  readonly items: readonly EventJson[];
  /** Absent at the beginning of the history. */
  readonly cursor?: string;
}

interface Window {
  readonly fromMs: number | undefined;
  readonly aborting: AbortController;
}

export function openHistory(deviceId: string): DeviceHistory {
  const events = signal<readonly EventJson[]>([]);
  const isLoading = signal(true);
  const failure = signal<Failure | undefined>(undefined);
  const olderCursor = signal<string | undefined>(undefined);
  const isCut = signal(false);
  let window: Window = { fromMs: undefined, aborting: new AbortController() };
  let isRead = false;
  let isCatchingUp = false;

  /** Reads backward from a cursor until there is enough. Undefined when that failed, which is noted. */
  async function readBack(
    { fromMs, aborting: { signal } }: Window,
    from: string | undefined,
    wanted: number,
  ): Promise<Stretch | undefined> {
    const items: EventJson[] = [];
    let cursor = from;
    for (let request = 0; request < REQUESTS_MAX; request += 1) {
      const outcome = await listEvents(
        deviceId,
        { limit: LIMIT_MAX, order: 'desc', cursor, ...(fromMs === undefined ? {} : { fromMs }) },
        signal,
      );
      if (!isAnswered(outcome)) return undefined;
      items.push(...outcome.value.events);
      cursor = outcome.value.cursor;
      if (cursor === undefined || items.length >= wanted) break;
    }
    return { items, ...(cursor === undefined ? {} : { cursor }) };
  }

  function isAnswered<T>(outcome: Outcome<T>): outcome is Extract<Outcome<T>, { kind: 'answered' }> {
    if (outcome.kind === 'answered') {
      failure.value = undefined;
      return true;
    }
    if (outcome.kind !== 'aborted') {
      failure.value = outcome;
      noteFailure(outcome);
      isLoading.value = false;
    }
    return false;
  }

  async function readWindow(windowMs: number | undefined): Promise<void> {
    window.aborting.abort();
    window = {
      fromMs: windowMs === undefined ? undefined : serverNow() - windowMs,
      aborting: new AbortController(),
    };
    isRead = false;
    isLoading.value = true;
    const read = await readBack(window, undefined, windowMs === undefined ? NEWEST_EVENTS : STRETCH_EVENTS);
    if (read === undefined) return;
    isRead = true;
    batch(() => {
      events.value = read.items.toReversed();
      olderCursor.value = read.cursor;
      isCut.value = read.cursor !== undefined;
      isLoading.value = false;
    });
  }

  async function readOlder(): Promise<void> {
    const cursor = olderCursor.peek();
    if (cursor === undefined || isLoading.peek()) return;
    isLoading.value = true;
    const read = await readBack(window, cursor, STRETCH_EVENTS);
    if (read === undefined) return;
    batch(() => {
      events.value = [...read.items.toReversed(), ...events.peek()].slice(-EVENTS_MAX);
      olderCursor.value = read.cursor;
      isCut.value = read.cursor !== undefined && events.peek().length < EVENTS_MAX;
      isLoading.value = false;
    });
  }

  /** Newest first, back to an event that is held. */
  async function readNewer(): Promise<void> {
    const { fromMs, aborting } = window;
    const held = new Set(events.peek().slice(-KNOWN_TAIL).map(eventKey));
    const fresh: EventJson[] = [];
    let cursor: string | undefined;
    let isJoined = held.size === 0;
    for (let request = 0; request < REQUESTS_MAX; request += 1) {
      const query = { limit: NEWER_LIMIT, order: 'desc', cursor } as const;
      const outcome = await listEvents(
        deviceId,
        fromMs === undefined ? query : { ...query, fromMs },
        aborting.signal,
      );
      if (!isAnswered(outcome)) return;
      const { events: items } = outcome.value;
      const known = items.findIndex((event) => held.has(eventKey(event)));
      fresh.push(...(known === -1 ? items : items.slice(0, known)));
      isJoined ||= known !== -1;
      cursor = outcome.value.cursor;
      if (known !== -1 || cursor === undefined) break;
    }
    // Where the join was not found, what is held has a gap of unknown size before it: only the new end is shown.
    const before = isJoined ? events.peek() : [];
    if (fresh.length > 0) events.value = [...before, ...fresh.reverse()].slice(-EVENTS_MAX);
  }

  return {
    events,
    isLoading,
    isCut,
    failure,
    setWindow: (windowMs) => void readWindow(windowMs),
    readOlder,
    catchUp: async (last) => {
      const isHeld =
        last !== null && events.peek().some(({ position }) => positionKey(position) === positionKey(last));
      if (isHeld || !isRead || isCatchingUp) return;
      isCatchingUp = true;
      await readNewer();
      isCatchingUp = false;
    },
    close: () => window.aborting.abort(),
  };
}
