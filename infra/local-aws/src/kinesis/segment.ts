import {
  FRAME_HEADER_BYTES,
  type FrameScan,
  recordArrivalMs,
  recordCounter,
  sealFrame,
  writeRecord,
} from './record-frame.ts';

/** A segment takes no further frames once it holds so much. A frame is never divided, so one may be longer. */
export const SEGMENT_BYTES = 4 * 1024 * 1024;
/** Nor once it is so old, so that whole files can be deleted as their records expire. */
export const SEGMENT_AGE_MS_MAX = 3_600_000;
const CONTENT_BYTES_MIN = 4 * 1024;
const OFFSETS_MIN = 16;
const OFFSET_BYTES = 4;

/** The frames of a segment in memory, with the place of each record. */
export interface SegmentContent {
  /** Frames up to `used`, then free capacity. */
  bytes: Buffer;
  used: number;
  /** Offset of each record up to `count`, then free capacity. */
  offsets: Uint32Array;
  count: number;
}

/** A stretch of one shard: consecutive frames, the unit that is kept in a file, cached and deleted. */
export interface Segment {
  readonly firstCounter: number;
  readonly firstArrivalMs: number;
  /** Where its frames are also kept; undefined when memory is all there is. */
  readonly path: string | undefined;
  /** Undefined while only the file has it. */
  content: SegmentContent | undefined;
}

export function emptyContent(): SegmentContent {
  return {
    bytes: Buffer.alloc(0),
    used: 0,
    offsets: new Uint32Array(0),
    count: 0,
  };
}

export function scannedContent(bytes: Buffer, scan: FrameScan): SegmentContent {
  return {
    bytes: bytes.subarray(0, scan.end),
    used: scan.end,
    offsets: Uint32Array.from(scan.offsets),
    count: scan.offsets.length,
  };
}

/** Memory of a content, spare capacity included. */
export function contentMemoryBytes(content: SegmentContent): number {
  return content.bytes.length + content.offsets.byteLength;
}

/** Memory of a content after it has grown by this much: sizes double, up to a segment's. */
export function grownMemoryBytes(content: SegmentContent, bytes: number, records: number): number {
  return grownBytes(content, bytes) + grownOffsets(content, records) * OFFSET_BYTES;
}

export function grow(content: SegmentContent, bytes: number, records: number): void {
  const size = grownBytes(content, bytes);
  if (size > content.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(size);
    content.bytes.copy(larger, 0, 0, content.used);
    content.bytes = larger;
  }
  const slots = grownOffsets(content, records);
  if (slots > content.offsets.length) {
    const larger = new Uint32Array(slots);
    larger.set(content.offsets.subarray(0, content.count));
    content.offsets = larger;
  }
}

function grownBytes(content: SegmentContent, bytes: number): number {
  const needed = content.used + bytes;
  if (needed <= content.bytes.length) return content.bytes.length;
  return Math.max(needed, Math.min(SEGMENT_BYTES, Math.max(CONTENT_BYTES_MIN, content.bytes.length * 2)));
}

function grownOffsets(content: SegmentContent, records: number): number {
  const needed = content.count + records;
  if (needed <= content.offsets.length) return content.offsets.length;
  return Math.max(needed, OFFSETS_MIN, content.offsets.length * 2);
}

/** Offset of record `index`. Throws RangeError when there is none. */
export function recordOffset(content: SegmentContent, index: number): number {
  const offset = content.offsets[index];
  if (offset === undefined || index >= content.count)
    throw new RangeError(`no record ${index} in the segment`);
  return offset;
}

/** Index of the first record whose counter is at or above `counter`; the count when there is none. */
export function indexAtCounter(content: SegmentContent, counter: number): number {
  return lowerBound(content, (at) => recordCounter(content.bytes, at) >= counter);
}

/** Index of the first record that arrived at or after `arrivalMs`; the count when there is none. */
export function indexAtArrival(content: SegmentContent, arrivalMs: number): number {
  return lowerBound(content, (at) => recordArrivalMs(content.bytes, at) >= arrivalMs);
}

/** First index whose record satisfies what all later ones satisfy too. */
function lowerBound(content: SegmentContent, reached: (at: number) => boolean): number {
  let low = 0;
  let high = content.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reached(recordOffset(content, middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}

export interface NewRecord {
  readonly key: string;
  /** Length of the key in UTF-8. */
  readonly keyBytes: number;
  readonly data: Uint8Array;
}

/** Appends a frame to the content, with the offsets of its records; returns its end. */
export function writeFrame(
  content: SegmentContent,
  records: readonly NewRecord[],
  counters: readonly number[],
  arrivalMs: number,
): number {
  let at = content.used + FRAME_HEADER_BYTES;
  records.forEach(({ key, keyBytes, data }, index) => {
    content.offsets[content.count + index] = at;
    at = writeRecord(content.bytes, at, { counter: counters[index] ?? 0, arrivalMs, key, keyBytes, data });
  });
  sealFrame(content.bytes, content.used, at, records.length);
  return at;
}
