import type { DeviceId } from '@twinstream/device-model';
import type { LatestStateTable, ShardProgressTable } from '@twinstream/latest-state';
import { type Clock, CodedError, type Logger } from '@twinstream/runtime';
import type { Liveness, LivenessPolicy } from '../liveness.ts';
import type { ChangeFeed } from './change-feed.ts';
import { createCoverage, type ShardVector } from './coverage.ts';
import { type FleetRow, livenessOf } from './fleet-row.ts';
import { createFleetRows, type FleetChange, type ShownDevice } from './fleet-rows.ts';
import type { ResumePoint } from './resume-token.ts';

/** All devices, as they stood at one moment. It is good until the next wait: rows change in place afterwards. */
export interface FleetSnapshot {
  /** By rising id. The same array as long as nothing has changed. */
  readonly rows: readonly FleetRow[];
  /** Whatever was finished before then is in it; milliseconds since 1970. */
  readonly asOf: number;
  /** Where updates go on behind this snapshot. */
  readonly resumePoint: ResumePoint;
  /** All devices as their watchers were told of them last. */
  shown(): Iterable<ShownDevice>;
  livenessAt(row: FleetRow, timeMs: number): Liveness;
}

/** Hears of changes. Called synchronously, with no change at least once a cycle; it must not throw. */
export type FleetListener = (changes: readonly FleetChange[], snapshot: FleetSnapshot) => void;

/**
 * The whole fleet in memory. It sleeps while nobody asks; awake it keeps itself fresh at a bounded rate: by the hints of
 * the stream where it has them, by reading the table otherwise.
 */
export interface FleetView {
  /**
   * The fleet, fresh where the bound allows it, otherwise as it was: the snapshot says as of when. Throws
   * `FLEET_UNAVAILABLE` when it has never been read.
   */
  current(signal?: AbortSignal): Promise<FleetSnapshot>;
  /** Keeps the view awake and tells of every change, until the returned function is called. */
  watch(listener: FleetListener): () => void;
  /** Keeps the view awake for a while, as a request does. */
  stayAwake(): void;
  close(): Promise<void>;
}

export interface FleetViewOptions {
  readonly table: Pick<LatestStateTable, 'list' | 'read'>;
  readonly progress: Pick<ShardProgressTable, 'read'>;
  readonly streamName: string;
  /** Without it the table is read over and over. */
  readonly feed?: ChangeFeed;
  readonly liveness: LivenessPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between cycles, in milliseconds. Default 1,000; it bounds the reads of each shard. */
  readonly cycleMs?: number;
  /** A snapshot up to this old is fresh enough, in milliseconds. Default 1,000. */
  readonly freshMs?: number;
  /** How long a request waits for a fresh one before it takes the old, in milliseconds. Default 1,500. */
  readonly waitMs?: number;
  /** The view goes to sleep when nobody asked for so long, in milliseconds. Default 60,000. */
  readonly idleMs?: number;
  /** Most of the time that may be spent reading the whole table, 0-1. Default 0.25. */
  readonly readShare?: number;
  /** Where hints suffice, the whole table is read this seldom, in milliseconds. Default 300,000. */
  readonly rereadMs?: number;
}

/** Devices of one request to the table. */
const LIST_LIMIT = 1_000;
/** Requests of one reading of the table, which may answer with fewer devices than the limit. */
const LIST_REQUESTS_MAX = 50_000;
/** Single devices that are read at once. */
const READS_AT_ONCE = 16;
/** More single devices than this, and than a quarter of the fleet, are dearer to read than the whole table. */
const SINGLE_READS_CHEAP = 200;
/** Single devices that are read in one cycle; the rest comes in the next. */
const SINGLE_READS_MAX = 2_000;
/** While hints do not suffice the whole table is read no more often than this, in milliseconds. */
const HEAL_MS = 5_000;

export function createFleetView(options: FleetViewOptions): FleetView {
  const { table, progress, streamName, feed, liveness, clock, logger } = options;
  const { cycleMs = 1_000, freshMs = 1_000, waitMs = 1_500, idleMs = 60_000 } = options;
  const { readShare = 0.25, rereadMs = 300_000 } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const rows = createFleetRows(liveness);
  const coverage = createCoverage();
  const listeners = new Set<FleetListener>();
  const waiting = new Set<() => void>();
  let owed = new Set<DeviceId>();
  let asOf: number | undefined;
  let askedTime = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  let readableTime = Number.NEGATIVE_INFINITY;
  let readStartTime = Number.NEGATIVE_INFINITY;
  let loop: Promise<void> | undefined;
  let failure: unknown;

  function snapshot(): FleetSnapshot | undefined {
    if (asOf === undefined) return undefined;
    return {
      get rows() {
        return rows.inOrder();
      },
      asOf,
      resumePoint: { timeMs: asOf, seen: new Map(coverage.vector) },
      shown: () => rows.shown(),
      livenessAt: (row, timeMs) => livenessOf(row, liveness, timeMs),
    };
  }

  function tell(changes: readonly FleetChange[]): void {
    if (listeners.size === 0) return;
    const now = snapshot();
    if (now !== undefined) for (const listener of listeners) listener(changes, now);
  }

  async function finishedNow(): Promise<ShardVector> {
    const shards = await progress.read(streamName, signal);
    return new Map(shards.map(({ shardId, finishedThrough }) => [shardId, finishedThrough]));
  }

  /** Reads the whole table, and tells of what has changed as it goes. */
  async function readTable(): Promise<void> {
    const startTime = clock.now();
    try {
      const finished = await finishedNow();
      const found = new Set<DeviceId>();
      let cursor: string | undefined;
      for (let request = 0; ; request += 1) {
        if (request >= LIST_REQUESTS_MAX) {
          throw new CodedError('FLEET_TOO_LARGE', `the fleet takes more than ${LIST_REQUESTS_MAX} requests`);
        }
        const answer = await table.list({
          limit: LIST_LIMIT,
          signal,
          ...(cursor === undefined ? {} : { cursor }),
        });
        const changes: FleetChange[] = [];
        for (const state of answer.devices) {
          found.add(state.deviceId);
          const change = rows.put(state, startTime, clock.now());
          if (change !== undefined) changes.push(change);
        }
        tell(changes);
        if (answer.cursor === undefined) break;
        cursor = answer.cursor;
      }
      coverage.noteReading(finished);
      asOf = Math.max(asOf ?? 0, startTime);
      readStartTime = startTime;
      tell(rows.dropUnlessIn(found, startTime));
    } finally {
      const endTime = clock.now();
      readableTime = endTime + (endTime - startTime) * (1 / readShare - 1);
    }
  }

  /** Reads the table in the background, unless that was done too lately. True when such a reading begins now. */
  function beginReading(atLeastMs = 0): boolean {
    const now = clock.now();
    if (reading !== undefined || now < readableTime || now - readStartTime < atLeastMs) return false;
    reading = readTable()
      .then(
        () => {
          failure = undefined;
        },
        (error: unknown) => {
          failure = error;
          if (!signal.aborted) logger.warn({ error }, 'fleet not read');
        },
      )
      .finally(() => {
        reading = undefined;
        wakeWaiting();
      });
    return true;
  }

  async function readDevices(deviceIds: ReadonlySet<DeviceId>): Promise<FleetChange[]> {
    const changes: FleetChange[] = [];
    const rest = deviceIds.values();
    const readOn = async () => {
      for (const deviceId of rest) {
        const startTime = clock.now();
        const state = await table.read(deviceId, { consistent: true, signal });
        const change = state === undefined ? undefined : rows.put(state, startTime, clock.now());
        if (change !== undefined) changes.push(change);
      }
    };
    const results = await Promise.allSettled(Array.from({ length: READS_AT_ONCE }, readOn));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) {
      tell(changes);
      throw failed.reason;
    }
    return changes;
  }

  async function cycle(): Promise<void> {
    if (feed === undefined || asOf === undefined) beginReading();
    const changes = feed === undefined ? [] : await followFeed(feed);
    tell([...changes, ...rows.ageTo(clock.now())]);
  }

  async function followFeed(stream: ChangeFeed): Promise<readonly FleetChange[]> {
    const startTime = clock.now();
    // Progress is read first: what it says is finished is then among the hints, or was read before.
    const finished = await finishedNow();
    for (const hints of await stream.poll(finished, signal)) coverage.addHints(hints, clock.now());
    const due = coverage.take(finished);
    owed = owed.union(due.deviceIds);
    const isDear = owed.size > Math.max(SINGLE_READS_CHEAP, rows.size / 4);
    if (isDear && beginReading()) {
      // That reading begins behind these hints, so it finds what they hint at, and covers them when it ends.
      owed = new Set();
      return [];
    }
    const batch = new Set([...owed].slice(0, SINGLE_READS_MAX));
    const changes = await readDevices(batch);
    owed = owed.difference(batch);
    if (owed.size === 0) due.settle();
    const isFresh = owed.size === 0 && coverage.holds(finished, clock.now());
    if (isFresh && asOf !== undefined) asOf = Math.max(asOf, startTime);
    beginReading(isFresh ? rereadMs : HEAL_MS);
    return changes;
  }

  function wakeWaiting(): void {
    for (const wake of [...waiting]) wake();
  }

  async function keepFresh(): Promise<void> {
    feed?.restart();
    readStartTime = Number.NEGATIVE_INFINITY;
    while (!signal.aborted && (listeners.size > 0 || clock.now() - askedTime <= idleMs)) {
      const startTime = clock.now();
      try {
        await cycle();
      } catch (error) {
        if (!signal.aborted) logger.warn({ error }, 'fleet not followed');
        beginReading(HEAL_MS);
      }
      wakeWaiting();
      const restMs = Math.max(cycleMs - (clock.now() - startTime), cycleMs / 10);
      await clock.sleep(restMs, signal).catch(() => undefined);
    }
    await reading;
  }

  function wakeUp(): void {
    if (loop !== undefined || signal.aborted) return;
    loop = keepFresh().finally(() => {
      loop = undefined;
      wakeWaiting();
    });
  }

  /** Resolves after the next cycle or reading, or after `ms`. */
  function nextChance(ms: number, caller?: AbortSignal): Promise<void> {
    const done = new AbortController();
    return new Promise<void>((resolve) => {
      const wake = () => {
        waiting.delete(wake);
        done.abort();
        resolve();
      };
      waiting.add(wake);
      const signals = [done.signal, signal, ...(caller === undefined ? [] : [caller])];
      clock.sleep(ms, AbortSignal.any(signals)).then(wake, wake);
    });
  }

  return {
    current: async (caller) => {
      askedTime = clock.now();
      wakeUp();
      const deadline = askedTime + waitMs;
      for (;;) {
        const now = clock.now();
        if (asOf !== undefined && (now - asOf <= freshMs || now >= deadline)) break;
        if (asOf === undefined && failure !== undefined) {
          throw new CodedError('FLEET_UNAVAILABLE', 'the fleet cannot be read', {
            cause: failure,
            retryable: true,
          });
        }
        caller?.throwIfAborted();
        signal.throwIfAborted();
        await nextChance(asOf === undefined ? waitMs : deadline - now, caller);
      }
      const now = snapshot();
      if (now === undefined) throw new TypeError('the fleet has been read, and has no snapshot');
      return now;
    },
    watch: (listener) => {
      listeners.add(listener);
      wakeUp();
      return () => listeners.delete(listener);
    },
    stayAwake: () => {
      askedTime = clock.now();
      wakeUp();
    },
    close: async () => {
      closing.abort(new CodedError('FLEET_UNAVAILABLE', 'the fleet view is closed'));
      await loop;
    },
  };
}
