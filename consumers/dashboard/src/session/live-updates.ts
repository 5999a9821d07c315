import { effect, signal } from '@preact/signals';
import type { Updates } from '@twinstream/api-contract';
import type { EventSourceMessage } from 'eventsource-parser';
import { readUpdates, type StreamEnd } from '../api/update-stream.ts';
import { type FleetQuery, writeFleetQuery } from '../model/fleet-query.ts';
import { view } from './address.ts';
import { serverNow } from './clock.ts';
import {
  heldChanges,
  isPaused,
  noteAnswer,
  noteAsOf,
  noteFailure,
  retryTime,
  revalidation,
  streamState,
} from './connection.ts';
import { applyDevice, applyLeave, listEventId, noteGap, shownQuery } from './fleet-session.ts';

const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 10_000;
/** An API without a place in its stream is asked again after so long. */
const WAIT_WHEN_FULL_MS = 30_000;
/** Beyond it, being told everything that changed costs more than reading again what is looked at. */
const RESUME_MS_MAX = 120_000;

/** The device that the stream told of last; its view reads it again. */
export const heardDevice = signal<{ readonly deviceId: string } | undefined>(undefined);

/** Up to where the list has been told. Updates of one device alone do not move it on. */
interface ListPlace {
  readonly query: FleetQuery;
  id: string | undefined;
  /** Milliseconds since 1970. */
  time: number;
}

/** One stream that a view needs. */
interface Wanted {
  readonly path: string;
  /** Absent for the stream of one device. */
  readonly list?: ListPlace;
}

const isVisible = signal(!document.hidden);
let listPlace: ListPlace | undefined;
let waits = 0;

function pathWith(parameters: URLSearchParams): string {
  return parameters.size === 0 ? 'v1/updates' : `v1/updates?${parameters}`;
}

/** The stream that the view of now needs: that of one device, or that of the list; undefined before there is a list. */
function wanted(): Wanted | undefined {
  const shown = view.value;
  if (shown.view === 'device') return { path: pathWith(new URLSearchParams({ q: shown.deviceId })) };
  const query = shownQuery.value;
  if (query === undefined) return undefined;
  if (listPlace?.query !== query) listPlace = { query, id: listEventId.value, time: serverNow() };
  const { sort: _sort, order: _order, ...filter } = query;
  return { path: pathWith(writeFleetQuery(filter)), list: listPlace };
}

/** Where a connection begins; a place that lies too far back is given up, and what is seen is read again instead. */
function resumeId(list: ListPlace | undefined): string | undefined {
  if (list === undefined) return undefined;
  if (serverNow() - list.time > RESUME_MS_MAX) list.id = undefined;
  return list.id;
}

async function hold({ path, list }: Wanted, signal: AbortSignal): Promise<void> {
  const held = new Set<string>();
  while (!signal.aborted) {
    const lastEventId = resumeId(list);
    const end = await readUpdates({
      path,
      lastEventId,
      signal,
      onOpen: () => {
        waits = 0;
        retryTime.value = undefined;
        streamState.value = 'open';
        noteAnswer();
        if (list !== undefined && lastEventId === undefined) noteGap();
      },
      onMessage: (message) => {
        if (isPaused.peek()) noteHeld(message, held);
        else if (list === undefined) takeDevice(message);
        else if (takeListUpdate(message)) {
          list.id = message.id;
          list.time = serverNow();
        }
      },
    });
    if (end.kind === 'aborted' || signal.aborted) return;
    await rest(end, signal);
  }
}

/** Waits before the next connection: longer each time, at random, so that a thousand pages do not come back together. */
function rest(end: StreamEnd, signal: AbortSignal): Promise<void> {
  streamState.value = end.kind === 'full' ? 'none' : 'closed';
  if (end.kind === 'unreachable' || end.kind === 'refused') noteFailure(end);
  const roofMs = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** waits);
  waits += 1;
  const waitMs = end.kind === 'full' ? WAIT_WHEN_FULL_MS : WAIT_MS_MIN + Math.random() * roofMs;
  retryTime.value = serverNow() + waitMs;
  const since = revalidation.peek();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stopWatching();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    // Whatever has the page read again has the stream tried again, too.
    const stopWatching = revalidation.subscribe((now) => {
      if (now !== since) queueMicrotask(done);
    });
    signal.addEventListener('abort', done);
  });
}

/**
 * Holds the update stream that the view needs, for as long as the page lives: one at a time, since a browser has few
 * connections for all its tabs, and none while the tab is hidden. Each connection goes on where the one before was heeded
 * last, so that nothing is missed.
 */
export function startLiveUpdates(): void {
  document.addEventListener('visibilitychange', () => {
    isVisible.value = !document.hidden;
  });
  effect(() => {
    const stream = wanted();
    // Read only to subscribe to the signal: when a pause begins or ends, the stream begins again, from where it was heeded last.
    isPaused.value;
    if (stream === undefined) {
      streamState.value = 'closed';
      return;
    }
    if (!isVisible.value) {
      streamState.value = 'none';
      return;
    }
    streamState.value = 'closed';
    const closing = new AbortController();
    void hold(stream, closing.signal);
    return () => closing.abort();
  });
}

interface Heed {
  readonly device?: (device: Updates['device']) => void;
  readonly leave?: (left: Updates['leave']) => void;
  readonly sync?: (synced: Updates['sync']) => void;
}

/** A message by the name of its event. Throws SyntaxError for text that is not JSON: the connection is then tried again. */
function heed({ event, data }: EventSourceMessage, { device, leave, sync }: Heed): void {
  if (event === 'device') device?.(JSON.parse(data));
  else if (event === 'leave') leave?.(JSON.parse(data));
  else if (event === 'sync') sync?.(JSON.parse(data));
}

function noteSync({ asOf }: Updates['sync'], shown: 'fleet' | 'device'): void {
  noteAsOf(shown, Date.parse(asOf));
  noteAnswer();
}

/** Takes in one message of the list's stream. True when all up to its id has been told. */
function takeListUpdate(message: EventSourceMessage): boolean {
  heed(message, {
    device: applyDevice,
    leave: ({ deviceIds }) => applyLeave(deviceIds),
    sync: (synced) => noteSync(synced, 'fleet'),
  });
  return message.event === 'sync' && message.id !== undefined;
}

function takeDevice(message: EventSourceMessage): void {
  heed(message, {
    device: ({ deviceId }) => {
      heardDevice.value = { deviceId };
    },
    sync: (synced) => noteSync(synced, 'device'),
  });
}

/** While paused, devices are counted and nothing else: the stream is read again from before the pause. */
function noteHeld(message: EventSourceMessage, held: Set<string>): void {
  heed(message, {
    device: ({ deviceId }) => {
      held.add(deviceId);
      heldChanges.value = held.size;
    },
  });
}
