import { type BackoffOptions, fullJitterMs, type UserRecord } from '@twinstream/stream-model';
import type { Lane } from './lane.ts';

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
