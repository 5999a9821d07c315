import { recordArrivalMs, recordCounter, recordSizeBytes } from './record-frame.ts';
import { recordOffset, type SegmentContent } from './segment.ts';

/** Consecutive records of one segment: indexes `from` up to, not including, `to`. */
export interface LogRun {
  readonly content: SegmentContent;
  readonly from: number;
  readonly to: number;
}

export interface LogSlice {
  readonly runs: readonly LogRun[];
  readonly records: number;
  /** Data and partition keys. */
  readonly bytes: number;
  /** Where reading goes on: the lowest counter not yet read. */
  readonly next: number;
  /** There is nothing at or after `next`. */
  readonly atEnd: boolean;
  /** Of the last record read; undefined when none was. */
  readonly lastArrivalMs: number | undefined;
}

export interface ReadLimits {
  readonly recordsMax: number;
  /** A first record is read even when it is longer. */
  readonly bytesMax: number;
  /** Records that arrived before have expired. */
  readonly horizonMs: number;
}

/** Counts records from index `from` on into `total` while the limits allow; answers where it stopped. */
export function takeRun(
  content: SegmentContent,
  from: number,
  limits: ReadLimits,
  total: { records: number; bytes: number; next: number; lastArrivalMs: number | undefined },
): number {
  let index = from;
  let offset = -1;
  for (; index < content.count && total.records < limits.recordsMax; index += 1) {
    const at = recordOffset(content, index);
    const bytes = recordSizeBytes(content.bytes, at);
    if (total.records > 0 && total.bytes + bytes > limits.bytesMax) break;
    total.records += 1;
    total.bytes += bytes;
    offset = at;
  }
  if (offset >= 0) {
    total.next = recordCounter(content.bytes, offset) + 1;
    total.lastArrivalMs = recordArrivalMs(content.bytes, offset);
  }
  return index;
}

/** Last index that satisfies what no later one does, by bisection; -1 when none does. */
export function lastIndexWhere<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
