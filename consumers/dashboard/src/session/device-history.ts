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
  /** Shows the events that arrived in a window; undefined: the newest, however old. */
  setWindow(window: HistoryWindow | undefined): void;
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

/** The last `windowMs`, or from a moment to another, in milliseconds since 1970. */
export type HistoryWindow =
  | { readonly windowMs: number }
  | { readonly fromMs: number; readonly toMs: number };

interface Window {
  readonly fromMs: number | undefined;
  readonly toMs?: number;
  readonly aborting: AbortController;
}

/** Events of a window read backward, the newest first, from a cursor or the end until there are enough. */
interface Stretch {
  readonly items: readonly EventJson[];
  /** Absent at the beginning of the history. */
  readonly cursor: string | undefined;
}

interface StretchQuery {
  readonly cursor?: string;
  /** Events of one answer. */
  readonly limit?: number;
  readonly isEnough: (items: readonly EventJson[]) => boolean;
}

async function readStretch(
  deviceId: string,
  { fromMs, toMs, aborting: { signal } }: Window,
  { cursor: from, limit = LIMIT_MAX, isEnough }: StretchQuery,
): Promise<Outcome<Stretch>> {
  const items: EventJson[] = [];
  let cursor = from;
  for (let request = 0; request < REQUESTS_MAX; request += 1) {
    const range = {
      ...(fromMs === undefined ? {} : { fromMs }),
      ...(toMs === undefined ? {} : { toMs }),
    };
    const query = { limit, order: 'desc', cursor, ...range } as const;
    const outcome = await listEvents(deviceId, query, signal);
    if (outcome.kind !== 'answered') return outcome;
    items.push(...outcome.value.events);
    cursor = outcome.value.cursor;
    if (cursor === undefined || isEnough(items)) break;
  }
  return { kind: 'answered', value: { items, cursor } };
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

  /** Undefined where reading failed, which is shown, or was given up. */
  async function read(query: StretchQuery): Promise<Stretch | undefined> {
    const outcome = await readStretch(deviceId, window, query);
    if (outcome.kind === 'aborted') return undefined;
    if (outcome.kind === 'answered') {
      failure.value = undefined;
      return outcome.value;
    }
    failure.value = outcome;
    noteFailure(outcome);
    isLoading.value = false;
    return undefined;
  }

  /** Shows a stretch before what is held. */
  function show({ items, cursor }: Stretch, held: readonly EventJson[]): void {
    batch(() => {
      events.value = [...items.toReversed(), ...held].slice(-EVENTS_MAX);
      olderCursor.value = cursor;
      isCut.value = cursor !== undefined && events.peek().length < EVENTS_MAX;
      isLoading.value = false;
    });
  }

  async function readWindow(wanted: HistoryWindow | undefined): Promise<void> {
    window.aborting.abort();
    const range =
      wanted === undefined
        ? { fromMs: undefined }
        : 'windowMs' in wanted
          ? { fromMs: serverNow() - wanted.windowMs }
          : wanted;
    window = { ...range, aborting: new AbortController() };
    isRead = false;
    isLoading.value = true;
    const enough = wanted === undefined ? NEWEST_EVENTS : STRETCH_EVENTS;
    const stretch = await read({ isEnough: ({ length }) => length >= enough });
    if (stretch === undefined) return;
    isRead = true;
    show(stretch, []);
  }

  async function readOlder(): Promise<void> {
    const cursor = olderCursor.peek();
    if (cursor === undefined || isLoading.peek()) return;
    isLoading.value = true;
    const stretch = await read({ cursor, isEnough: ({ length }) => length >= STRETCH_EVENTS });
    if (stretch !== undefined) show(stretch, events.peek());
  }

  /** Newest first, back to an event that is held. */
  async function readNewer(): Promise<void> {
    const held = new Set(events.peek().slice(-KNOWN_TAIL).map(eventKey));
    const isHeld = (event: EventJson) => held.has(eventKey(event));
    const stretch = await read({ limit: NEWER_LIMIT, isEnough: (items) => items.some(isHeld) });
    if (stretch === undefined) return;
    const known = stretch.items.findIndex(isHeld);
    const fresh = known === -1 ? stretch.items : stretch.items.slice(0, known);
    // Where the join was not found, what is held has a gap of unknown size before it: only the new end is shown.
    const before = known !== -1 || held.size === 0 ? events.peek() : [];
    if (fresh.length > 0) events.value = [...before, ...fresh.toReversed()].slice(-EVENTS_MAX);
  }

  return {
    events,
    isLoading,
    isCut,
    failure,
    setWindow: (wanted) => void readWindow(wanted),
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
