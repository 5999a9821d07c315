import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@twinstream/runtime';
import {
  FRAME_HEADER_BYTES,
  type FrameScan,
  RECORD_HEADER_BYTES,
  recordArrivalMs,
  recordCounter,
  scanFrames,
} from './record-frame.ts';
import { recordOffset, type Segment, type SegmentContent, scannedContent } from './segment.ts';

const COUNTER_DIGITS = 15;
const NAME = /^(\d{15})\.segment$/;

/** Files are named by their first counter, so that order of names is order of records. */
export function segmentFileName(firstCounter: number): string {
  return `${String(firstCounter).padStart(COUNTER_DIGITS, '0')}.segment`;
}

export interface LoadedSegments {
  readonly segments: readonly Segment[];
  /** The last record of all; undefined when there is none. */
  readonly last: { readonly counter: number; readonly arrivalMs: number } | undefined;
  readonly cutBytes: number;
}

/**
 * Finds the segments of a folder, which may be absent. Reads the beginning of each and the whole of the last, from
 * which an append that was interrupted is cut off. Throws `KINESIS_SEGMENT_CORRUPT`.
 */
export function loadSegments(folder: string | undefined): LoadedSegments {
  const paths = folder === undefined ? [] : segmentPaths(folder);
  let cutBytes = 0;
  for (let path = paths.at(-1); path !== undefined; path = paths.at(-1)) {
    const bytes = readFileSync(path);
    const scan = wholeFrames(path, bytes);
    if (scan.end < bytes.length) truncateSync(path, scan.end);
    cutBytes += bytes.length - scan.end;
    if (scan.offsets.length > 0) {
      const content = scannedContent(bytes, scan);
      const at = recordOffset(content, content.count - 1);
      return {
        segments: paths.map(firstRecord),
        last: { counter: recordCounter(bytes, at), arrivalMs: recordArrivalMs(bytes, at) },
        cutBytes,
      };
    }
    rmSync(path);
    paths.pop();
  }
  return { segments: [], last: undefined, cutBytes };
}

/** Reads a segment's frames. Throws `KINESIS_SEGMENT_CORRUPT`. */
export function loadContent(path: string | undefined): SegmentContent {
  if (path === undefined) throw new TypeError('a segment without a file is always in memory');
  const bytes = readFileSync(path);
  return scannedContent(bytes, wholeFrames(path, bytes));
}

function segmentPaths(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    // A shard that never took a record has no folder.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => NAME.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function wholeFrames(path: string, bytes: Buffer): FrameScan {
  const scan = scanFrames(bytes);
  if (scan.tail === 'corrupt') {
    throw new CodedError(
      'KINESIS_SEGMENT_CORRUPT',
      `${path} is damaged at byte ${scan.end}: records that were acknowledged cannot be read`,
    );
  }
  return scan;
}

function firstRecord(path: string): Segment {
  const head = Buffer.alloc(FRAME_HEADER_BYTES + RECORD_HEADER_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    const bytesRead = readSync(descriptor, head);
    if (bytesRead < head.length) throw new CodedError('KINESIS_SEGMENT_CORRUPT', `${path} is cut short`);
  } finally {
    closeSync(descriptor);
  }
  return {
    firstCounter: recordCounter(head, FRAME_HEADER_BYTES),
    firstArrivalMs: recordArrivalMs(head, FRAME_HEADER_BYTES),
    path,
    content: undefined,
  };
}
