import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Liveness } from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import type { LatestStateTable, ShardProgressTable } from '@twinstream/latest-state';
import { NO_PROCESSED_TIMES, type ProcessedTimes } from '@twinstream/pipeline-status';
import { type Clock, CodedError, type Logger } from '@twinstream/runtime';
import type { ShardId } from '@twinstream/stream-model';
import type { AnnotationStore } from '@twinstream/table-generation/annotations';
import { type FollowedAnnotations, followAnnotations } from '../annotations/follow-annotations.ts';
import { type LivenessPolicy, livenessAt, USUAL_LAG_MS } from '../liveness.ts';
import { type Chances, createChances } from './chances.ts';
import { type ChangeFeed, FEED_BEHIND_MS_MAX } from './change-feed.ts';
import { slotsChangedSince } from './columns/changed-since.ts';
import { livenessColumn, scanFleet } from './columns/fleet-scan.ts';
import { createCoverage, type ShardVector } from './coverage.ts';
import type { FleetRow } from './fleet-row.ts';
import { type Annotations, createFleetRows, type FleetChange, type FleetRows } from './fleet-rows.ts';
import type { FleetListener, FleetSnapshot, FleetView } from './fleet-view.ts';
import { createViewSaver, type ViewSaver, type ViewSaverOptions } from './saved/view-saver.ts';
import { readSingleDevices, readWholeTable, type TableReadOptions } from './table-reads.ts';

export interface FleetViewOptions {
  readonly table: Pick<LatestStateTable, 'list' | 'read'>;
  readonly progress: Pick<ShardProgressTable, 'read'>;
  readonly streamName: string;
  /** Names what the table stands for; when it changes, another table has taken its place. Default: it never does. */
  readonly generation?: () => Promise<string>;
  /** Without it the table is read over and over. */
  readonly feed?: ChangeFeed;
  readonly liveness: LivenessPolicy;
  /** How far the shards have been processed. Default: that is unknown, and liveness goes by the clock. */
  readonly processed?: () => Promise<ProcessedTimes>;
  /** What operators said of devices. Default: nothing. */
  readonly annotations?: Pick<AnnotationStore, 'revision' | 'all'> | undefined;
  /** Gaps older than this are no longer trouble, in milliseconds. Default: they always are. */
  readonly gapsAgeOutMs?: number | undefined;
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
  /**
   * Where hints suffice, the whole table is read at most this often, and for at most a fiftieth of the time; milliseconds between two
   * reads. Default 300,000.
   */
  readonly rereadMs?: number;
  /** Where the view is saved, and restored from at its start. Only a view with a feed is. Default: nowhere. */
  readonly saved?: ViewSaverOptions;
}

/** More single devices than this, and than half of the fleet, are more expensive to read than the whole table. */
const SINGLE_READS_CHEAP = 200;
/** Single devices that are read in one cycle; the rest comes in the next. */
const SINGLE_READS_MAX = 10_000;
/** Devices that are told of as older in one step. */
const AGED_AT_ONCE = 5_000;
/** While hints do not suffice the whole table is read no more often than this, in milliseconds. */
const HEAL_MS = 5_000;
/** What reading the whole table takes at least: 148 µs a device, measured on 2026-11-30. */
const READING_MS_PER_DEVICE = 0.15;
/** Most of the time that is spent reading the whole table where hints suffice, 0-1. */
const REREAD_SHARE = 0.02;

const DEFAULTS = {
  cycleMs: 1_000,
  freshMs: 1_000,
  waitMs: 1_500,
  idleMs: 60_000,
  readShare: 0.25,
  rereadMs: 300_000,
} as const;
type WithDefaults = FleetViewOptions & Required<Pick<FleetViewOptions, keyof typeof DEFAULTS>>;

export function createFleetView(options: FleetViewOptions): FleetView {
  return new MemoryFleetView(options);
}

class MemoryFleetView implements FleetView {
  readonly #options: WithDefaults;
  readonly #closing = new AbortController();
  #rows: FleetRows;
  readonly #saver: ViewSaver | undefined;
  /** The saving that is on its way. */
  #saving: Promise<void> | undefined;
  #hasRestored = false;
  #hasCaughtUp = false;
  /** Since when the view has not held everything that is finished; undefined while it does. */
  #behindSince: number | undefined;
  #coverage = createCoverage();
  #generation: string | undefined;
  readonly #listeners = new Set<FleetListener>();
  readonly #chances: Chances;
  /** Devices whose hints were taken and that have not been read since. */
  #owed = new Set<DeviceId>();
  #asOf: number | undefined;
  #processed: ProcessedTimes = NO_PROCESSED_TIMES;
  /** When a device may have been unknown last: what happened in another process before this one is not known here. */
  #laggedTime: number;
  readonly #annotations: FollowedAnnotations | undefined;
  #askedTime = Number.NEGATIVE_INFINITY;
  /** The reading of the whole table that is on its way. */
  #reading: Promise<void> | undefined;
  #readableTime = Number.NEGATIVE_INFINITY;
  #readStartTime = Number.NEGATIVE_INFINITY;
  #readFailure: unknown;
  #loop: Promise<void> | undefined;

  constructor(options: FleetViewOptions) {
    this.#options = { ...DEFAULTS, ...options };
    const { clock, saved, feed, annotations, logger } = options;
    this.#laggedTime = clock.now();
    this.#annotations = annotations && followAnnotations(annotations, logger);
    this.#rows = this.#newRows();
    this.#chances = createChances(clock, this.#closing.signal);
    this.#saver = saved === undefined || feed === undefined ? undefined : createViewSaver(saved, options);
  }

  #newRows(): FleetRows {
    return createFleetRows({
      liveness: this.#options.liveness,
      livenessOf: (row, timeMs) => this.#livenessAt(row, timeMs),
      processedOf: (shardIds) => this.#processedTime(shardIds),
      gapsAgeOutMs: this.#options.gapsAgeOutMs,
    });
  }

  get #reads(): TableReadOptions {
    const { table, clock } = this.#options;
    const { signal } = this.#closing;
    return { table, rows: this.#rows, clock, signal, tell: (changes) => this.#tell(changes) };
  }

  async current(caller?: AbortSignal): Promise<FleetSnapshot> {
    const { clock, freshMs, waitMs } = this.#options;
    this.stayAwake();
    const deadline = clock.now() + waitMs;
    for (;;) {
      const now = clock.now();
      const snapshot = this.#snapshot();
      if (snapshot !== undefined && (now - snapshot.asOf <= freshMs || now >= deadline)) return snapshot;
      if (snapshot === undefined && this.#readFailure !== undefined) {
        const cause = this.#readFailure;
        throw new CodedError('FLEET_UNAVAILABLE', 'the fleet cannot be read', { cause, retryable: true });
      }
      caller?.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      await this.#chances.next(snapshot === undefined ? waitMs : deadline - now, caller);
    }
  }

  watch(listener: FleetListener): () => void {
    this.#listeners.add(listener);
    this.#wakeUp();
    return () => this.#listeners.delete(listener);
  }

  stayAwake(): void {
    this.#askedTime = this.#options.clock.now();
    this.#wakeUp();
  }

  async close(): Promise<void> {
    this.#closing.abort(new CodedError('FLEET_UNAVAILABLE', 'the fleet view is closed'));
    await this.#loop;
    await this.#saving;
    await this.#save(true);
  }

  #snapshot(): FleetSnapshot | undefined {
    const asOf = this.#asOf;
    if (asOf === undefined) return undefined;
    const rows = this.#rows;
    const { columns } = rows;
    const processedOf = (shardIds: Iterable<ShardId>) => this.#processedTime(shardIds);
    return {
      inOrder: rows.inOrder,
      ranks: rows.ranks,
      asOf,
      hasCaughtUp: this.#hasCaughtUp,
      deviceCount: columns.size,
      resumePoint: { timeMs: asOf, seen: new Map(this.#coverage.vector) },
      find: rows.find,
      shown: rows.shown,
      scan: (filter, timeMs) =>
        scanFleet(columns, filter, () => livenessColumn(columns, timeMs, processedOf)),
      scanShown: (filter) => scanFleet(columns, filter, () => columns.bytes.liveness),
      changedSince: (point) => {
        const mayHaveBeenUnknown = point.timeMs < this.#laggedTime;
        return slotsChangedSince({ columns, processedOf, mayHaveBeenUnknown }, point).map(columns.idOf);
      },
      livenessAt: (row, timeMs) => this.#livenessAt(row, timeMs),
      notesOf: rows.notesOf,
      annotationsOf: rows.annotationsOf,
      processedTime: (row) => this.#processedTime(row?.marks.keys() ?? []),
    };
  }

  /** What this view holds of some shards: what is processed, as far as it was read. */
  #processedTime(shardIds: Iterable<ShardId>): number | undefined {
    const processed = this.#processed.of(shardIds);
    return processed === undefined ? undefined : Math.min(processed, this.#asOf ?? processed);
  }

  #livenessAt(row: FleetRow, timeMs: number): Liveness {
    const processedMs = this.#processedTime(row.marks.keys());
    const { device, lastArrivalTime, hasLeft } = row;
    const heard = { type: device.labels.type, lastArrivalTime, hasLeft };
    return livenessAt(this.#options.liveness, heard, timeMs, processedMs);
  }

  async #followProcessing(): Promise<void> {
    const { processed, clock } = this.#options;
    if (processed === undefined) return;
    this.#processed = await processed();
    const through = this.#processedTime([]);
    if (through !== undefined && clock.now() - through > USUAL_LAG_MS) this.#laggedTime = clock.now();
  }

  #tell(changes: readonly FleetChange[]): void {
    const snapshot = this.#listeners.size === 0 ? undefined : this.#snapshot();
    if (snapshot !== undefined) for (const listener of this.#listeners) listener(changes, snapshot);
  }

  #wakeUp(): void {
    if (this.#loop !== undefined || this.#closing.signal.aborted) return;
    this.#loop = this.#keepFresh().finally(() => {
      this.#loop = undefined;
      this.#chances.give();
    });
  }

  async #keepFresh(): Promise<void> {
    const { clock, cycleMs, idleMs, feed, logger } = this.#options;
    const { signal } = this.#closing;
    // A view that has slept goes on from where it stood.
    feed?.restart(this.#asOf === undefined ? undefined : new Map(this.#coverage.vector));
    while (!signal.aborted && (this.#listeners.size > 0 || clock.now() - this.#askedTime <= idleMs)) {
      const startTime = clock.now();
      try {
        await this.#cycle();
      } catch (error) {
        if (!signal.aborted) logger.warn({ error }, 'fleet not followed');
        this.#fallBehind(startTime);
      }
      this.#chances.give();
      const restMs = Math.max(cycleMs - (clock.now() - startTime), cycleMs / 10);
      await clock.sleep(restMs, signal).catch(() => undefined);
    }
    await this.#reading;
  }

  async #cycle(): Promise<void> {
    const { feed } = this.#options;
    await this.#followGeneration();
    await this.#followProcessing();
    await this.#restore();
    const annotate = (said: Annotations) => this.#tell(this.#rows.annotate(said, this.#options.clock.now()));
    await this.#annotations?.catchUp(annotate, this.#closing.signal);
    if (feed === undefined || this.#asOf === undefined) this.#beginReading();
    const changes: FleetChange[] = [];
    try {
      if (feed !== undefined) await this.#followFeed(feed, changes);
    } finally {
      this.#tell(changes);
      await this.#age();
    }
    this.#saving ??= this.#save(false).finally(() => {
      this.#saving = undefined;
    });
  }

  /** At the first cycle: takes the rows of the saved view where there is one, and goes on from its positions. */
  async #restore(): Promise<void> {
    const { streamName, feed, clock } = this.#options;
    if (this.#saver === undefined || this.#hasRestored) return;
    this.#hasRestored = true;
    const rows = this.#newRows();
    const expected = { streamName, generation: this.#generation ?? '' };
    const head = await this.#saver.restore(rows, expected, this.#closing.signal);
    if (head === undefined) return;
    this.#rows = rows;
    this.#annotations?.again();
    this.#coverage.noteReading(head.vector);
    this.#asOf = head.asOf;
    this.#readStartTime = head.readStartTime;
    feed?.restart(head.vector);
    // The feed leaves out what is older, and only the table tells of it.
    if (clock.now() - head.asOf > FEED_BEHIND_MS_MAX) this.#beginReading();
    this.#chances.give();
  }

  async #save(isLast: boolean): Promise<void> {
    const asOf = this.#asOf;
    if (this.#saver === undefined || asOf === undefined || !this.#hasCaughtUp) return;
    const coverage = this.#coverage;
    const head = {
      streamName: this.#options.streamName,
      generation: this.#generation ?? '',
      asOf,
      vector: new Map(coverage.vector),
      readStartTime: this.#readStartTime,
    };
    await this.#saver.save(this.#rows, head, () => this.#coverage === coverage, isLast);
  }

  /** Many devices may age within one moment: their watchers are told step by step, and requests are answered in between. */
  async #age(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const aged = this.#rows.ageTo(clock.now(), this.#listeners.size === 0 ? undefined : AGED_AT_ONCE);
      if (aged.length > 0) this.#tell(aged);
      if (aged.length < AGED_AT_ONCE) return;
      await nextTurn();
    }
  }

  /** When another table has taken the place of the one that was read, nothing that was read covers it. */
  async #followGeneration(): Promise<void> {
    const generation = await this.#options.generation?.();
    if (generation === this.#generation) return;
    if (this.#generation !== undefined) {
      this.#coverage = createCoverage();
      this.#hasCaughtUp = false;
      this.#readStartTime = Number.NEGATIVE_INFINITY;
      this.#readableTime = Number.NEGATIVE_INFINITY;
      this.#options.feed?.restart();
    }
    this.#generation = generation;
  }

  /** Gathers what has changed, so that it is told together with how far it reaches. */
  async #followFeed(feed: ChangeFeed, changes: FleetChange[]): Promise<void> {
    const { clock, rereadMs } = this.#options;
    const startTime = clock.now();
    // Progress is read first: what it says is finished is then among the hints, or was read before.
    const finished = await this.#finishedNow();
    for (const hints of await feed.poll(finished, this.#closing.signal)) {
      this.#coverage.addHints(hints, clock.now());
    }
    const due = this.#coverage.take(finished);
    this.#owed = this.#owed.union(due.deviceIds);
    const isDear = this.#owed.size > Math.max(SINGLE_READS_CHEAP, this.#rows.columns.size / 2);
    if (isDear && this.#beginReading()) {
      // That reading begins after these hints, so it finds what they hint at, and covers them when it ends.
      this.#owed = new Set();
      return;
    }
    const batch = new Set([...this.#owed].slice(0, SINGLE_READS_MAX));
    await readSingleDevices(batch, this.#reads, changes);
    this.#owed = this.#owed.difference(batch);
    const isRead = this.#owed.size === 0;
    if (isRead) due.settle();
    const isFresh = isRead && this.#coverage.holds(finished, clock.now());
    if (isFresh && this.#asOf !== undefined) {
      this.#asOf = Math.max(this.#asOf, startTime);
      this.#hasCaughtUp = true;
      this.#behindSince = undefined;
      this.#beginReading(Math.max(rereadMs, this.#readingMs() / REREAD_SHARE));
    } else {
      this.#fallBehind(startTime);
    }
  }

  /** Hints are given the time that reading the table takes: until then they may have caught up. */
  #fallBehind(sinceMs: number): void {
    this.#behindSince ??= sinceMs;
    if (this.#options.clock.now() - this.#behindSince >= this.#readingMs()) this.#beginReading(HEAL_MS);
  }

  /** How long a reading of the whole table takes at least. */
  #readingMs(): number {
    return this.#rows.columns.size * READING_MS_PER_DEVICE;
  }

  async #finishedNow(): Promise<ShardVector> {
    const { progress, streamName } = this.#options;
    const shards = await progress.read(streamName, this.#closing.signal);
    return new Map(shards.map(({ shardId, finishedThrough }) => [shardId, finishedThrough]));
  }

  /** Reads the whole table in the background, unless that was done too lately. True when such a reading begins now. */
  #beginReading(atLeastMs = 0): boolean {
    const { clock, logger } = this.#options;
    const now = clock.now();
    if (this.#reading !== undefined || now < this.#readableTime || now - this.#readStartTime < atLeastMs) {
      return false;
    }
    this.#reading = this.#readTable()
      .then(
        () => {
          this.#readFailure = undefined;
        },
        (error: unknown) => {
          this.#readFailure = error;
          if (!this.#closing.signal.aborted) logger.warn({ error }, 'fleet not read');
        },
      )
      .finally(() => {
        this.#reading = undefined;
        this.#chances.give();
      });
    return true;
  }

  async #readTable(): Promise<void> {
    const { clock, readShare } = this.#options;
    const startTime = clock.now();
    const coverage = this.#coverage;
    try {
      const finished = await this.#finishedNow();
      await readWholeTable(this.#reads);
      // A reading that began before a switch of tables says nothing of the new ones.
      if (coverage !== this.#coverage) return;
      coverage.noteReading(finished);
      this.#asOf = Math.max(this.#asOf ?? 0, startTime);
      this.#readStartTime = startTime;
      // Where more changes than can be followed, readings of the table are as new as answers can be.
      this.#hasCaughtUp = true;
      this.#tell([]);
    } finally {
      const endTime = clock.now();
      this.#readableTime = endTime + (endTime - startTime) * (1 / readShare - 1);
    }
  }
}
