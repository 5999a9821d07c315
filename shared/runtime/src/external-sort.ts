import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLines } from './read-lines.ts';

/** A text line and what it is ordered by. */
export interface SortableLine<Key> {
  readonly key: Key;
  readonly line: string;
}

export interface ExternalSortOptions<Key> {
  readonly compare: (a: Key, b: Key) => number;
  /** The key of a line that was written to disk. */
  readonly keyOf: (line: string) => Key;
  /** Characters of lines that are held in memory; more goes to sorted runs on disk. Default {@link RUN_CHARACTERS_MAX}. */
  readonly runCharactersMax?: number;
  /** Runs that are merged concurrently. Default {@link MERGE_RUNS_MAX}. */
  readonly mergeRunsMax?: number;
  readonly signal: AbortSignal;
}

/** 16 Mi characters, about 45,000 lines of 370: some 100 MB of memory with their keys and what is being collected. */
export const RUN_CHARACTERS_MAX = 16 * 1_024 * 1_024;
/** Open files; each reads 64 KiB ahead. */
export const MERGE_RUNS_MAX = 256;

/** Takes lines in any order, and returns them in the order of their keys. */
export interface LineSorter<Key> {
  /** A line holds no `\n`. Writes a run to disk, and waits for it, when one is full. */
  add(one: SortableLine<Key>): void;
  /** Every line, each key once. To be asked once, after the last line. */
  sorted(): AsyncGenerator<SortableLine<Key>>;
  /** Frees memory and disk. */
  close(): void;
}

/**
 * Sorts in bounded memory: runs that fill `runCharactersMax` are sorted and written to a folder of their own, then merged, in
 * several passes where there are more than `mergeRunsMax`. Disk: about the size of the lines, until it is closed.
 */
export function lineSorter<Key>(options: ExternalSortOptions<Key>): LineSorter<Key> {
  const { compare, runCharactersMax = RUN_CHARACTERS_MAX, signal } = options;
  const runs: string[] = [];
  let folder: string | undefined;
  let held: SortableLine<Key>[] = [];
  let characters = 0;
  const sortHeld = () => held.sort((a, b) => compare(a.key, b.key));
  return {
    add: (one) => {
      held.push(one);
      characters += one.line.length;
      if (characters < runCharactersMax) return;
      signal.throwIfAborted();
      folder ??= mkdtempSync(join(tmpdir(), 'twinstream-sort-'));
      const path = join(folder, `run-${runs.length}`);
      const run = openRun(path);
      for (const { line } of sortHeld()) run.write(line);
      run.close();
      runs.push(path);
      held = [];
      characters = 0;
    },
    sorted: async function* () {
      sortHeld();
      const merged = folder === undefined ? [] : await reduced(runs, folder, options);
      const sources = [...merged.map((path) => runLines(path, options)), held];
      yield* distinct(merge(sources, compare), compare);
    },
    close: () => {
      held = [];
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Lines in the order of their keys, each key once. Nothing stays on disk when the generator ends, however it ends. */
export async function* externalSort<Key>(
  lines: AsyncIterable<SortableLine<Key>>,
  options: ExternalSortOptions<Key>,
): AsyncGenerator<SortableLine<Key>> {
  const sorter = lineSorter(options);
  try {
    for await (const one of lines) sorter.add(one);
    yield* sorter.sorted();
  } finally {
    sorter.close();
  }
}

/** Merges runs until the rest can be merged in one pass. */
async function reduced<Key>(
  runs: readonly string[],
  folder: string,
  options: ExternalSortOptions<Key>,
): Promise<readonly string[]> {
  const { compare, mergeRunsMax = MERGE_RUNS_MAX } = options;
  let rest = [...runs];
  for (let pass = 0; rest.length > mergeRunsMax; pass += 1) {
    const next: string[] = [];
    for (let at = 0; at < rest.length; at += mergeRunsMax) {
      const group = rest.slice(at, at + mergeRunsMax);
      const path = join(folder, `merged-${pass}-${next.length}`);
      const sources = group.map((run) => runLines(run, options));
      const merged = openRun(path);
      try {
        for await (const { line } of distinct(merge(sources, compare), compare)) merged.write(line);
      } finally {
        merged.close();
      }
      for (const run of group) rmSync(run);
      next.push(path);
    }
    rest = next;
  }
  return rest;
}

/** Lines that are written to disk together. */
const WRITE_LINES = 2_000;

function openRun(path: string) {
  const file = openSync(path, 'w');
  let chunk: string[] = [];
  const flush = () => {
    const bytes = Buffer.from(chunk.join(''));
    chunk = [];
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  };
  return {
    write: (line: string) => {
      chunk.push(line, '\n');
      if (chunk.length >= 2 * WRITE_LINES) flush();
    },
    close: () => {
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
}

async function* runLines<Key>(
  path: string,
  { keyOf, signal }: ExternalSortOptions<Key>,
): AsyncGenerator<SortableLine<Key>> {
  // What was held as a line once is held again.
  const options = { name: path, lineBytesMax: Number.POSITIVE_INFINITY };
  for await (const { text: line } of readLines(createReadStream(path), options)) {
    signal.throwIfAborted();
    yield { key: keyOf(line), line };
  }
}

interface Head<Key> {
  current: SortableLine<Key>;
  readonly rest: AsyncIterator<SortableLine<Key>> | Iterator<SortableLine<Key>>;
}

/** K-way merge by a binary heap. */
async function* merge<Key>(
  sources: readonly (AsyncIterable<SortableLine<Key>> | Iterable<SortableLine<Key>>)[],
  compare: (a: Key, b: Key) => number,
): AsyncGenerator<SortableLine<Key>> {
  const heap: Head<Key>[] = [];
  const isBefore = (a: number, b: number) => {
    const [left, right] = [heap[a], heap[b]];
    return left !== undefined && right !== undefined && compare(left.current.key, right.current.key) < 0;
  };
  const swap = (a: number, b: number) => {
    const [left, right] = [heap[a], heap[b]];
    if (left !== undefined && right !== undefined) [heap[a], heap[b]] = [right, left];
  };
  const sink = (at: number) => {
    for (let parent = at; ; ) {
      const [left, right] = [parent * 2 + 1, parent * 2 + 2];
      let least = parent;
      if (isBefore(left, least)) least = left;
      if (isBefore(right, least)) least = right;
      if (least === parent) return;
      swap(parent, least);
      parent = least;
    }
  };
  for (const source of sources) {
    const rest = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    const first = await rest.next();
    if (!first.done) heap.push({ current: first.value, rest });
  }
  for (let at = (heap.length >> 1) - 1; at >= 0; at -= 1) sink(at);
  while (true) {
    const [top] = heap;
    if (top === undefined) return;
    yield top.current;
    const step = top.rest.next();
    const next = step instanceof Promise ? await step : step;
    if (next.done) {
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) heap[0] = last;
    } else top.current = next.value;
    sink(0);
  }
}

async function* distinct<Key>(
  lines: AsyncIterable<SortableLine<Key>>,
  compare: (a: Key, b: Key) => number,
): AsyncGenerator<SortableLine<Key>> {
  let before: SortableLine<Key> | undefined;
  for await (const one of lines) {
    if (before !== undefined && compare(before.key, one.key) === 0) continue;
    before = one;
    yield one;
  }
}
