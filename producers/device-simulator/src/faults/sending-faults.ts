import { type Draws, seededDraws } from '../fleet/draws.ts';
import type { EventSource, PlannedEvent, SendingFault } from '../sending/planned-event.ts';
import { damage } from './malformed.ts';

/** Share of events that suffer each fault, 0 to 1; together 1 at most. */
export type FaultShares = Readonly<Record<SendingFault, number>>;

export const NO_FAULTS: FaultShares = { duplicates: 0, outOfOrder: 0, late: 0, drop: 0, malformed: 0 };

/** Maximum number of events that are held back; one more, and the one held longest is sent. */
export const HELD_EVENTS_MAX = 50_000;

const STREAM_OF_FAULTS = 4;
const LATE_BY_MIN = 2;
const LATE_BY_MAX = 16;
const DUPLICATE_BY_MAX = 8;

/** An event that waits until its device has sent `after` more. */
interface HeldEvent {
  readonly planned: PlannedEvent;
  readonly fault: 'duplicates' | 'outOfOrder' | 'late';
  after: number;
  /** True once a later event of its device went first. */
  isPassed: boolean;
}

/**
 * The events of a source, with faults. Which event suffers what follows from the seed and the event's place among the
 * events alone. What is held back counts in events of its own device, and is sent at the end at the latest; an event
 * that no other one has passed by then has suffered nothing, and is not called a fault.
 */
export function withFaults(source: EventSource, shares: FaultShares, seed: number): EventSource {
  const draws = seededDraws(seed, STREAM_OF_FAULTS);
  const held = createHold();
  const ready: PlannedEvent[] = [];
  let readyFrom = 0;
  let count = 0;
  let lastDueMs: number | undefined;

  /** The event itself if it is to be sent immediately and nothing waits for it; else undefined, with what may be sent in `ready`. */
  function enter(planned: PlannedEvent): PlannedEvent | undefined {
    draws.startAt(count, 0);
    count += 1;
    lastDueMs = planned.dueMs;
    const fault = faultOf(shares, draws);
    if (fault === undefined && !held.isHolding(planned.deviceId)) return planned;
    if (fault === 'outOfOrder' || fault === 'late') {
      const after = fault === 'late' ? LATE_BY_MIN + draws.below(LATE_BY_MAX - LATE_BY_MIN + 1) : 1;
      ready.push(...held.hold({ planned, fault, after, isPassed: false }, lastDueMs));
      return undefined;
    }
    ready.push(suffer(planned, fault, draws));
    if (fault === 'drop' || fault === 'malformed') return undefined;
    ready.push(...held.pass(planned.deviceId, lastDueMs));
    if (fault !== 'duplicates') return undefined;
    const after = draws.below(DUPLICATE_BY_MAX);
    const copy: HeldEvent = { planned, fault, after, isPassed: true };
    ready.push(...(after === 0 ? [released(copy, lastDueMs)] : held.hold(copy, lastDueMs)));
    return undefined;
  }

  function takeReady(): PlannedEvent | undefined {
    const planned = ready[readyFrom];
    readyFrom += 1;
    if (readyFrom >= ready.length) {
      ready.length = 0;
      readyFrom = 0;
    }
    return planned;
  }

  function advance(planned: PlannedEvent | undefined): PlannedEvent | undefined {
    if (planned === undefined) ready.push(...held.releaseAll(lastDueMs));
    else {
      const sound = enter(planned);
      if (sound !== undefined) return sound;
    }
    return ready.length > 0 ? takeReady() : undefined;
  }

  function next(): PlannedEvent | undefined | Promise<PlannedEvent | undefined> {
    for (;;) {
      if (ready.length > 0) return takeReady();
      const planned = source.next();
      if (planned instanceof Promise) return planned.then(goOn);
      const first = advance(planned);
      if (first !== undefined || planned === undefined) return first;
    }
  }

  async function goOn(read: PlannedEvent | undefined): Promise<PlannedEvent | undefined> {
    return advance(read) ?? (read === undefined ? undefined : next());
  }

  return { next, close: () => source.close() };
}

function faultOf(shares: FaultShares, draws: Draws): SendingFault | undefined {
  let rest = draws.next();
  for (const fault of ['drop', 'malformed', 'late', 'outOfOrder', 'duplicates'] as const) {
    if (rest < shares[fault]) return fault;
    rest -= shares[fault];
  }
  return undefined;
}

/** The event as it is sent at its own time. The first of two copies is sound. */
function suffer(planned: PlannedEvent, fault: SendingFault | undefined, draws: Draws): PlannedEvent {
  if (fault === 'drop') return { ...planned, fault };
  if (fault === 'malformed') return { ...planned, fault, damaged: damage(textOf(planned), draws) };
  return planned;
}

function textOf({ bytes }: PlannedEvent): string {
  return new TextDecoder().decode(bytes.subarray(0, -1));
}

function released(held: HeldEvent, dueMs: number | undefined): PlannedEvent {
  return held.isPassed ? { ...held.planned, dueMs, fault: held.fault } : { ...held.planned, dueMs };
}

/** Events that are held back, by device. What comes out of it is due with the event that lets it out. */
interface Hold {
  isHolding(deviceId: string): boolean;
  /** Returns what had to be let go for it. */
  hold(event: HeldEvent, dueMs: number | undefined): readonly PlannedEvent[];
  /** Records that the device has sent an event; returns the events that waited for it. */
  pass(deviceId: string, dueMs: number | undefined): readonly PlannedEvent[];
  /** In the order in which devices began to hold something back. */
  releaseAll(dueMs: number | undefined): readonly PlannedEvent[];
}

const NOTHING: readonly PlannedEvent[] = [];

function createHold(): Hold {
  const devices = new Map<string, HeldEvent[]>();
  let count = 0;

  function releaseDevice(deviceId: string, dueMs: number | undefined): readonly PlannedEvent[] {
    const events = devices.get(deviceId) ?? [];
    devices.delete(deviceId);
    count -= events.length;
    return events.map((event) => released(event, dueMs));
  }

  return {
    isHolding: (deviceId) => devices.has(deviceId),
    hold(event, dueMs) {
      const { deviceId } = event.planned;
      const events = devices.get(deviceId);
      if (events === undefined) devices.set(deviceId, [event]);
      else events.push(event);
      count += 1;
      if (count <= HELD_EVENTS_MAX) return NOTHING;
      const [longest] = devices.keys();
      return longest === undefined ? NOTHING : releaseDevice(longest, dueMs);
    },
    pass(deviceId, dueMs) {
      const events = devices.get(deviceId);
      if (events === undefined) return NOTHING;
      for (const event of events) {
        event.after -= 1;
        event.isPassed = true;
      }
      const due = events.filter((event) => event.after <= 0);
      const rest = events.filter((event) => event.after > 0);
      count -= due.length;
      if (rest.length === 0) devices.delete(deviceId);
      else devices.set(deviceId, rest);
      return due.map((event) => released(event, dueMs));
    },
    releaseAll: (dueMs) => [...devices.keys()].flatMap((deviceId) => releaseDevice(deviceId, dueMs)),
  };
}
