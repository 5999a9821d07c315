import { batch, effect, type ReadonlySignal, signal } from '@preact/signals';
import { LIMIT_MAX, listEvents, type Moment, readDevice } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import type { Device, HistoryEvent } from '../api/shapes.ts';
import { serverNow } from './clock.ts';
import { canPoll, link, noteAnswer, noteFailure } from './connection.ts';
import { heardDevice } from './live-updates.ts';
import { startPoll } from './poll.ts';

const POLL_MS = 2_000;
/** Beside a stream, since ages and liveness change by silence. */
const POLL_BESIDE_STREAM_MS = 15_000;
/** Most events held of one device's window; the newest win. */
export const EVENTS_MAX = 5_000;
/** Events of the window that has no span. */
const NEWEST_EVENTS = 1_000;
/** Answers read for one window; a long search through a history of little finds its end here. */
const REQUESTS_MAX = 50;
/** Events of one answer when looking for newer ones, and held events among which the join is looked for. */
const NEWER_LIMIT = 100;
const KNOWN_TAIL = 500;
/** Moving the time slider asks once it has rested so long. */
const REST_MS = 120;

export interface PastState {
  readonly moment: Moment;
  /** The answer as it came. */
  readonly raw?: unknown;
  readonly device?: Device;
  readonly failure?: Failure;
}

export interface DeviceSession {
  readonly deviceId: string;
  readonly device: ReadonlySignal<Device | undefined>;
  readonly raw: ReadonlySignal<unknown>;
  readonly failure: ReadonlySignal<Failure | undefined>;
  /** Events of the window in chain order, oldest first. */
  readonly events: ReadonlySignal<readonly HistoryEvent[]>;
  readonly areEventsLoading: ReadonlySignal<boolean>;
  /** Older events of the window exist beyond what is held. */
  readonly isHistoryCut: ReadonlySignal<boolean>;
  /** The state at the moment asked for last; undefined while now is shown. */
  readonly past: ReadonlySignal<PastState | undefined>;
  readonly isPastLoading: ReadonlySignal<boolean>;
  /** Shows the events that arrived in the last so many milliseconds; undefined: the newest, however old. */
  setWindow(windowMs: number | undefined): void;
  /** Shows the state at a moment; undefined: now. */
  setMoment(moment: Moment | undefined): void;
  close(): void;
}

/** Identity of a stored event within its device. */
export function eventKey(event: HistoryEvent): string {
  const { position } = event;
  if (position !== undefined)
    return `${position.shardId}:${position.sequenceNumber}:${position.subSequenceNumber}`;
  return `${event.arrivalTime}:${event.identity?.session}:${event.identity?.counter}:${event.type}`;
}

/** One device with its history, kept fresh until it is closed. */
export function openDevice(deviceId: string): DeviceSession {
  const device = signal<Device | undefined>(undefined);
  const raw = signal<unknown>(undefined);
  const failure = signal<Failure | undefined>(undefined);
  const events = signal<readonly HistoryEvent[]>([]);
  const areEventsLoading = signal(true);
  const isHistoryCut = signal(false);
  const past = signal<PastState | undefined>(undefined);
  const isPastLoading = signal(false);
  let windowing = new AbortController();
  let moving = new AbortController();
  let areEventsRead = false;
  const closing = new AbortController();
  let isRefreshing = false;
  let isRefreshWanted = false;

  async function refresh(signal: AbortSignal): Promise<void> {
    const outcome = await readDevice(deviceId, undefined, signal);
    if (outcome.kind === 'aborted') return;
    if (outcome.kind !== 'answered') {
      failure.value = outcome;
      noteFailure(outcome);
      return;
    }
    const before = device.peek();
    batch(() => {
      failure.value = undefined;
      device.value = outcome.value;
      raw.value = outcome.raw;
      noteAnswer(outcome.serverTime, serverNow());
    });
    if (before !== undefined && before.counts.events !== outcome.value.counts.events) await readNewer();
  }

  /** Reads the device again because something was heard of it: one read at a time, however much is heard. */
  async function refreshSoon(): Promise<void> {
    isRefreshWanted = true;
    if (isRefreshing) return;
    isRefreshing = true;
    while (isRefreshWanted && !closing.signal.aborted) {
      isRefreshWanted = false;
      await refresh(closing.signal);
    }
    isRefreshing = false;
  }

  /** Takes in events that were stored after those held: newest first, back to one that is known. */
  async function readNewer(): Promise<void> {
    const { signal } = windowing;
    if (!areEventsRead) return;
    const held = new Set(events.peek().slice(-KNOWN_TAIL).map(eventKey));
    const fresh: HistoryEvent[] = [];
    let cursor: string | undefined;
    let isJoined = false;
    let requests = 0;
    do {
      const outcome = await listEvents(deviceId, { limit: NEWER_LIMIT, order: 'desc', cursor }, signal);
      if (outcome.kind !== 'answered') {
        if (outcome.kind !== 'aborted') noteFailure(outcome);
        return;
      }
      const { items } = outcome.value;
      const known = items.findIndex((event) => held.has(eventKey(event)));
      isJoined = known !== -1;
      fresh.push(...(isJoined ? items.slice(0, known) : items));
      cursor = outcome.value.cursor;
      requests += 1;
    } while (!isJoined && cursor !== undefined && fresh.length < EVENTS_MAX && requests < REQUESTS_MAX);
    if (fresh.length > 0) events.value = [...events.peek(), ...fresh.reverse()].slice(-EVENTS_MAX);
  }

  async function readWindow(windowMs: number | undefined): Promise<void> {
    windowing.abort();
    windowing = new AbortController();
    const { signal } = windowing;
    areEventsLoading.value = true;
    areEventsRead = false;
    const fromMs = windowMs === undefined ? undefined : serverNow() - windowMs;
    const wanted = windowMs === undefined ? NEWEST_EVENTS : EVENTS_MAX;
    const read: HistoryEvent[] = [];
    let requests = 0;
    let cursor: string | undefined;
    do {
      const outcome = await listEvents(
        deviceId,
        { limit: LIMIT_MAX, order: 'desc', cursor, ...(fromMs === undefined ? {} : { fromMs }) },
        signal,
      );
      if (outcome.kind === 'aborted') return;
      if (outcome.kind !== 'answered') {
        noteFailure(outcome);
        areEventsLoading.value = false;
        if (outcome.kind === 'refused') failure.value = outcome;
        return;
      }
      read.push(...outcome.value.items);
      cursor = outcome.value.cursor;
      requests += 1;
      // An answer may be empty and still have a cursor: only one without is the last.
    } while (cursor !== undefined && read.length < wanted && requests < REQUESTS_MAX);
    batch(() => {
      events.value = read.reverse();
      isHistoryCut.value = cursor !== undefined;
      areEventsLoading.value = false;
    });
    areEventsRead = true;
  }

  async function readPast(moment: Moment): Promise<void> {
    const { signal } = moving;
    isPastLoading.value = true;
    const outcome = await readDevice(deviceId, moment, signal);
    if (outcome.kind === 'aborted' || signal.aborted) return;
    batch(() => {
      isPastLoading.value = false;
      past.value =
        outcome.kind === 'answered'
          ? { moment, device: outcome.value, raw: outcome.raw }
          : { moment, failure: outcome };
    });
    if (outcome.kind !== 'answered') noteFailure(outcome);
  }

  const stopPolling = startPoll({
    everyMs: () => (link.peek().kind === 'live' ? POLL_BESIDE_STREAM_MS : POLL_MS),
    run: refresh,
  });
  const stopHearing = effect(() => {
    if (heardDevice.value?.deviceId === deviceId && canPoll.peek()) void refreshSoon();
  });
  return {
    deviceId,
    device,
    raw,
    failure,
    events,
    areEventsLoading,
    isHistoryCut,
    past,
    isPastLoading,
    setWindow: (windowMs) => void readWindow(windowMs),
    setMoment: (moment) => {
      moving.abort();
      moving = new AbortController();
      const { signal } = moving;
      if (moment === undefined) {
        past.value = undefined;
        isPastLoading.value = false;
        return;
      }
      setTimeout(() => {
        if (!signal.aborted) void readPast(moment);
      }, REST_MS);
    },
    close: () => {
      stopPolling();
      stopHearing();
      closing.abort();
      windowing.abort();
      moving.abort();
    },
  };
}
