import type { UserRecord } from '@twinstream/stream-model';
import { isBlocked, type Lane } from './lane.ts';
import type { LaneBook } from './lane-book.ts';
import { first } from './queue.ts';
import type { Retrier } from './retrier.ts';
import { makeReady } from './shard-queue.ts';

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
  /** So many lanes that wait for company are company enough. */
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
      // All go together, also those that have just begun to wait: one full request beats many small ones.
      const company = lingering;
      lingering = [];
      lingerUntilMs = Number.POSITIVE_INFINITY;
      for (const lane of company) if (lane.state === 'lingering' && !lane.isRetired) makeReady(lane);
    },
    get nextAtMs() {
      const dueAtMs = retrier.nextDueAtMs ?? Number.POSITIVE_INFINITY;
      const nextMs = Math.min(dueAtMs, lingerUntilMs);
      return nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs;
    },
  };
}
