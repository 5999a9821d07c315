import { dueTimes, type LoadProfile } from '../schedule/load-profile.ts';
import { type EventSource, lineBytes, type PlannedEvent } from '../sending/planned-event.ts';
import type { RecordedRow } from './open-recording.ts';
import { type RecordedEvent, stamped } from './recorded-event.ts';
import { type BadRow, isBadRow } from './row.ts';
import { readInTimeOrder } from './time-order.ts';

/** When recorded events are due. */
export type Pace =
  /** As fast as the stream takes them. */
  | { readonly kind: 'max' }
  /** So many times as fast as they were recorded; one that is older than the one before it is due with that one. */
  | { readonly kind: 'speed'; readonly factor: number }
  | { readonly kind: 'profile'; readonly profile: LoadProfile };

export interface RecordingSourceSettings {
  readonly order: 'time' | 'file';
  readonly pace: Pace;
  /** Session of events that have no identity; their counters begin at 1, per device, in the order of sending. */
  readonly session: number;
  /** Called for every invalid row. */
  readonly onBadRow: (row: BadRow) => void;
}

/** The events of a recording, each with an identity, paced. In file order it holds one batch, in time order all. */
export function recordingSource(
  batches: AsyncGenerator<readonly RecordedRow[]>,
  settings: RecordingSourceSettings,
): EventSource {
  const { order, onBadRow } = settings;
  const plan = planning(settings);
  let events: readonly RecordedRow[] = [];
  let at = 0;
  let isSorted = false;

  function nextHeld(): PlannedEvent | undefined {
    while (at < events.length) {
      const row = events[at];
      at += 1;
      if (row === undefined) continue;
      if (!isBadRow(row)) return plan(row);
      onBadRow(row);
    }
    return undefined;
  }

  async function readOn(): Promise<PlannedEvent | undefined> {
    for (;;) {
      const more = await nextBatch();
      if (more === undefined) return undefined;
      events = more;
      at = 0;
      const planned = nextHeld();
      if (planned !== undefined) return planned;
    }
  }

  async function nextBatch(): Promise<readonly RecordedRow[] | undefined> {
    if (order === 'file') {
      const read = await batches.next();
      return read.done ? undefined : read.value;
    }
    if (isSorted) return undefined;
    isSorted = true;
    return readInTimeOrder(batches, onBadRow);
  }

  return {
    next: () => nextHeld() ?? readOn(),
    close: async () => {
      await batches.return(undefined);
    },
  };
}

function planning({ pace, session }: RecordingSourceSettings): (event: RecordedEvent) => PlannedEvent {
  const counters = new Map<string, number>();
  const due = dueOf(pace);
  return (event) => {
    const { deviceId, type, time, identity } = event;
    const counter = event.isUncounted ? (counters.get(deviceId) ?? 0) + 1 : undefined;
    if (counter !== undefined) counters.set(deviceId, counter);
    return {
      deviceId,
      type,
      time,
      session: counter === undefined ? identity?.session : session,
      counter: counter ?? identity?.counter,
      bytes: lineBytes(stamped(event, session, counter ?? 0)),
      dueMs: due(event),
    };
  };
}

function dueOf(pace: Pace): (event: RecordedEvent) => number | undefined {
  if (pace.kind === 'max') return () => undefined;
  if (pace.kind === 'profile') return dueTimes(pace.profile);
  let firstMs: number | undefined;
  let lastDueMs = 0;
  return ({ timeMs }) => {
    firstMs ??= timeMs;
    lastDueMs = Math.max(lastDueMs, (timeMs - firstMs) / pace.factor);
    return lastDueMs;
  };
}
