import { type BackoffOptions, fullJitterMs, type UserRecord } from '@twinstream/stream-model';
import { isBlocked, type Lane } from './lane.ts';
import type { LaneBook } from './lane-book.ts';
import { first } from './queue.ts';
import { makeReady } from './shard-queues.ts';

/** Holds the lanes that wait for their retry. */
export interface Retrier<R extends UserRecord> {
  /** A wait before the retry of a lane that has failed `failures` times in a row, in milliseconds. */
  delayMs(failures: number): number;
  add(lane: Lane<R>, dueAtMs: number): void;
  /** Takes the lanes whose time has come, earliest first. */
  takeDue(nowMs: number): Lane<R>[];
  /** When the next lane is due; undefined when none waits. */
  readonly nextDueAtMs: number | undefined;
}

interface Waiting<R extends UserRecord> {
  readonly lane: Lane<R>;
  readonly dueAtMs: number;
}

/** A binary heap by due time. */
export function createRetrier<R extends UserRecord>(
  backoff: BackoffOptions,
  random: () => number,
): Retrier<R> {
  const heap: Waiting<R>[] = [];

  const dueAt = (index: number): number => heap[index]?.dueAtMs ?? Number.POSITIVE_INFINITY;

  function swap(a: number, b: number): void {
    const [left, right] = [heap[a], heap[b]];
    if (left === undefined || right === undefined) return;
    heap[a] = right;
    heap[b] = left;
  }

  function rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >>> 1;
      if (dueAt(parent) <= dueAt(at)) return;
      swap(at, parent);
      at = parent;
    }
  }

  function sink(): void {
    for (let at = 0; ; ) {
      const left = at * 2 + 1;
      const least = dueAt(left + 1) < dueAt(left) ? left + 1 : left;
      if (dueAt(at) <= dueAt(least)) return;
      swap(at, least);
      at = least;
    }
  }

  function takeFirst(): Lane<R> | undefined {
    const taken = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      heap[0] = last;
      sink();
    }
    return taken?.lane;
  }

  return {
    delayMs: (failures) => fullJitterMs(failures - 1, backoff, random),
    add(lane, dueAtMs) {
      heap.push({ lane, dueAtMs });
      rise(heap.length - 1);
    },
    takeDue(nowMs) {
      const due: Lane<R>[] = [];
      while (dueAt(0) <= nowMs) {
        const lane = takeFirst();
        if (lane !== undefined) due.push(lane);
      }
      return due;
    },
    get nextDueAtMs() {
      return heap[0]?.dueAtMs;
    },
  };
}

/** Decides when a lane with something to send may send it. */
export interface LaneScheduler<R extends UserRecord> {
  /** Gives a lane with nothing on its way its next state. */
  schedule(lane: Lane<R>, nowMs: number): void;
  /** Tells that a record was appended to the lane. */
  grew(lane: Lane<R>, nowMs: number): void;
  /** Keeps the lane from sending until `dueAtMs`. */
  backOff(lane: Lane<R>, dueAtMs: number): void;
  /** Makes ready what has waited long enough. */
  advance(nowMs: number): void;
  /** When `advance` has something to do next; undefined when nothing waits. */
  readonly nextAtMs: number | undefined;
}

export interface LaneSchedulerParts<R extends UserRecord> {
  readonly book: LaneBook<R>;
  readonly retrier: Retrier<R>;
  readonly lingerMs: number;
  /** Number of lingering lanes that are flushed without waiting longer. */
  readonly lingeringLanesMax: number;
  isFlushing(): boolean;
  /** Called when a lane has become ready, or enough of them linger. */
  onReady(): void;
}

export function createLaneScheduler<R extends UserRecord>(parts: LaneSchedulerParts<R>): LaneScheduler<R> {
  const { book, retrier, lingerMs, lingeringLanesMax } = parts;
  /** May hold lanes that have left the state since, and some twice. */
  let lingering: Lane<R>[] = [];
  let lingerUntilMs = Number.POSITIVE_INFINITY;

  function ready(lane: Lane<R>): void {
    makeReady(lane);
    parts.onReady();
  }

  function linger(lane: Lane<R>, untilMs: number): void {
    lane.state = 'lingering';
    lingering.push(lane);
    lingerUntilMs = Math.min(lingerUntilMs, untilMs);
    if (lingering.length >= lingeringLanesMax) parts.onReady();
  }

  function schedule(lane: Lane<R>, nowMs: number): void {
    if (isBlocked(lane)) {
      lane.state = 'blocked';
      return;
    }
    const oldest = first(lane.queue);
    if (oldest === undefined) {
      lane.state = 'idle';
      book.drop(lane);
      return;
    }
    const untilMs = oldest.putAtMs + lingerMs;
    if (untilMs <= nowMs || parts.isFlushing() || book.isFull(lane)) ready(lane);
    else linger(lane, untilMs);
  }

  return {
    schedule,
    grew(lane, nowMs) {
      if (lane.state === 'idle') schedule(lane, nowMs);
      else if (lane.state === 'lingering' && book.isFull(lane)) ready(lane);
    },
    backOff(lane, dueAtMs) {
      lane.state = 'backing-off';
      retrier.add(lane, dueAtMs);
    },
    advance(nowMs) {
      for (const lane of retrier.takeDue(nowMs)) {
        if (lane.state === 'backing-off' && !lane.isRetired) makeReady(lane);
      }
      const isEnough = lingering.length >= lingeringLanesMax || parts.isFlushing();
      if (!isEnough && nowMs < lingerUntilMs) return;
      // All lanes are flushed together, also those that have just begun to linger: one full request costs less than many small ones.
      const flushed = lingering;
      lingering = [];
      lingerUntilMs = Number.POSITIVE_INFINITY;
      for (const lane of flushed) if (lane.state === 'lingering' && !lane.isRetired) makeReady(lane);
    },
    get nextAtMs() {
      const dueAtMs = retrier.nextDueAtMs ?? Number.POSITIVE_INFINITY;
      const nextMs = Math.min(dueAtMs, lingerUntilMs);
      return nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs;
    },
  };
}
