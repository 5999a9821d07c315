import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AppendFiles } from './append-files.ts';
import { type LogRun, type LogSlice, lastIndexWhere, type ReadLimits, takeRun } from './log-slice.ts';
import { FRAME_HEADER_BYTES, RECORD_HEADER_BYTES, recordCounter } from './record-frame.ts';
import {
  contentMemoryBytes,
  emptyContent,
  grow,
  grownMemoryBytes,
  indexAtArrival,
  indexAtCounter,
  type NewRecord,
  recordOffset,
  SEGMENT_AGE_MS_MAX,
  SEGMENT_BYTES,
  type Segment,
  type SegmentContent,
  writeFrame,
} from './segment.ts';
import { loadContent, loadSegments, segmentFileName } from './segment-files.ts';
import { forget, hasRoom, recount, type SegmentMemory } from './segment-memory.ts';
import { STARTING_COUNTER } from './sequence-numbering.ts';

/** Counters rise by 1 to this much, because sequence numbers have gaps and no client may rely on the next. */
const COUNTER_STEP_MAX = 16;

export interface Appended {
  /** Counter of each record, in order. */
  readonly counters: readonly number[];
  /** One arrival for all, never before an earlier record's, in ms. */
  readonly arrivalMs: number;
}

export interface ShardLogServices {
  readonly memory: SegmentMemory;
  /** Undefined when memory is all there is. */
  readonly files: AppendFiles | undefined;
  readonly random: () => number;
}

/**
 * The records of one shard in order of their counters, which is also order of arrival. With a folder, every append is
 * in its file before it returns; without, memory is all there is.
 */
export class ShardLog {
  readonly #folder: string | undefined;
  readonly #services: ShardLogServices;
  #segments: Segment[];
  #lastCounter: number;
  #lastArrivalMs: number;
  /** Bytes of an interrupted append that were cut off when the log was opened. */
  readonly cutBytes: number;

  /** Opens what `folder` has. Throws `KINESIS_SEGMENT_CORRUPT` when an acknowledged record is unreadable there. */
  constructor(folder: string | undefined, services: ShardLogServices) {
    this.#folder = folder;
    this.#services = services;
    const loaded = loadSegments(folder);
    this.#segments = [...loaded.segments];
    this.#lastCounter = loaded.last?.counter ?? STARTING_COUNTER;
    this.#lastArrivalMs = loaded.last?.arrivalMs ?? 0;
    this.cutBytes = loaded.cutBytes;
  }

  /** The counter from which everything still to come is read. */
  get end(): number {
    return this.#lastCounter + 1;
  }

  /** Appends all records or none: undefined when the memory limit is reached; throws when the file cannot be written. */
  append(records: readonly NewRecord[], nowMs: number): Appended | undefined {
    const arrivalMs = Math.max(nowMs, this.#lastArrivalMs);
    const frameBytes = records.reduce(
      (sum, { keyBytes, data }) => sum + RECORD_HEADER_BYTES + keyBytes + data.length,
      FRAME_HEADER_BYTES,
    );
    const counters = this.#drawCounters(records.length);
    const [firstCounter = this.end] = counters;
    const open = this.#openSegment(arrivalMs);
    const segment = open ?? this.#newSegment(firstCounter, arrivalMs);
    const content = segment.content ?? emptyContent();
    const memoryAfter = grownMemoryBytes(content, frameBytes, records.length);
    if (!hasRoom(this.#services.memory, memoryAfter - contentMemoryBytes(content))) return undefined;
    grow(content, frameBytes, records.length);
    const end = writeFrame(content, records, counters, arrivalMs);
    this.#persist(segment, content.used, content.bytes.subarray(content.used, end));

    content.used = end;
    content.count += records.length;
    segment.content = content;
    if (open === undefined) this.#segments.push(segment);
    recount(this.#services.memory, segment);
    this.#lastCounter = counters.at(-1) ?? this.#lastCounter;
    this.#lastArrivalMs = arrivalMs;
    return { counters, arrivalMs };
  }

  #drawCounters(count: number): number[] {
    const counters = new Array<number>(count);
    let counter = this.#lastCounter;
    for (let index = 0; index < count; index += 1) {
      counter += 1 + Math.floor(this.#services.random() * COUNTER_STEP_MAX);
      counters[index] = counter;
    }
    return counters;
  }

  /** The segment that takes the next frame; undefined when a new one must. */
  #openSegment(nowMs: number): Segment | undefined {
    const segment = this.#segments.at(-1);
    if (segment?.content === undefined || segment.content.used >= SEGMENT_BYTES) return undefined;
    return nowMs - segment.firstArrivalMs >= SEGMENT_AGE_MS_MAX ? undefined : segment;
  }

  #newSegment(firstCounter: number, firstArrivalMs: number): Segment {
    const previous = this.#segments.at(-1)?.path;
    if (previous !== undefined) this.#services.files?.release(previous);
    const path = this.#folder === undefined ? undefined : join(this.#folder, segmentFileName(firstCounter));
    return { firstCounter, firstArrivalMs, path, content: emptyContent() };
  }

  /** A new file whose first frame could not be written is deleted, so that no empty one is left between others. */
  #persist(segment: Segment, at: number, frame: Uint8Array): void {
    const { path } = segment;
    if (path === undefined || this.#folder === undefined) return;
    if (this.#segments.length === 0) mkdirSync(this.#folder, { recursive: true });
    try {
      this.#services.files?.append(path, at, frame);
    } catch (error) {
      this.#services.files?.release(path);
      if (at === 0) rmSync(path, { force: true });
      throw error;
    }
  }

  /** Reads on from a counter. What has expired is skipped. */
  read(from: number, limits: ReadLimits): LogSlice {
    let index = this.#segmentAt(from);
    let start = from;
    if ((this.#segments[index]?.firstArrivalMs ?? limits.horizonMs) < limits.horizonMs) {
      start = Math.max(from, this.counterAtArrival(limits.horizonMs));
      index = this.#segmentAt(start);
    }
    const runs: LogRun[] = [];
    const total = { records: 0, bytes: 0, next: start, lastArrivalMs: undefined as number | undefined };
    for (; index < this.#segments.length && total.records < limits.recordsMax; index += 1) {
      const content = this.#content(index);
      const first = indexAtCounter(content, start);
      const stop = takeRun(content, first, limits, total);
      if (stop > first) runs.push({ content, from: first, to: stop });
      if (stop < content.count) break;
    }
    return { ...total, runs, atEnd: this.#segments.length === 0 || total.next > this.#lastCounter };
  }

  /** Counter of the first record that arrived at or after `arrivalMs`; the end when there is none. */
  counterAtArrival(arrivalMs: number): number {
    if (this.#lastArrivalMs < arrivalMs) return this.end;
    let index = lastIndexWhere(this.#segments, (segment) => segment.firstArrivalMs < arrivalMs);
    for (index = Math.max(index, 0); index < this.#segments.length; index += 1) {
      const content = this.#content(index);
      const found = indexAtArrival(content, arrivalMs);
      if (found < content.count) return recordCounter(content.bytes, recordOffset(content, found));
    }
    return this.end;
  }

  /** Index of the segment in which a counter lies, or would. */
  #segmentAt(counter: number): number {
    return Math.max(
      0,
      lastIndexWhere(this.#segments, (segment) => segment.firstCounter <= counter),
    );
  }

  #content(index: number): SegmentContent {
    const segment = this.#segments[index];
    if (segment === undefined) throw new RangeError(`no segment ${index}`);
    segment.content ??= loadContent(segment.path);
    recount(this.#services.memory, segment);
    return segment.content;
  }

  /**
   * Deletes segments whose records have all expired. The last file stays, because it says which counters are used.
   */
  trim(horizonMs: number): void {
    for (;;) {
      const [segment, following] = this.#segments;
      if (segment === undefined) return;
      const isLast = following === undefined;
      if (isLast && this.#folder !== undefined) return;
      if ((following?.firstArrivalMs ?? this.#lastArrivalMs) >= horizonMs) return;
      this.#segments.shift();
      this.#release(segment);
      if (segment.path !== undefined) rmSync(segment.path, { force: true });
    }
  }

  /** No record is left that arrived at or after `horizonMs`. */
  isExpired(horizonMs: number): boolean {
    return this.#segments.length === 0 || this.#lastArrivalMs < horizonMs;
  }

  /** Closes its files and forgets its memory. The folder stays. */
  close(): void {
    for (const segment of this.#segments) this.#release(segment);
    this.#segments = [];
  }

  /** Closes, and deletes its folder. */
  destroy(): void {
    this.close();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #release(segment: Segment): void {
    forget(this.#services.memory, segment);
    segment.content = undefined;
    if (segment.path !== undefined) this.#services.files?.release(segment.path);
  }
}
