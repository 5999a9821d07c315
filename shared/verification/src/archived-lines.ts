import { CodedError, readLines } from '@twinstream/runtime';
import { ARCHIVE_LINE_BYTES_MAX, type ArchivedEntry, readArchiveLine } from '@twinstream/stream-model';
import type { ArchiveObjects, ArchiveWindow } from './archive-objects.ts';

/** An object, or a line of one, that is none of those that should lie there. */
export interface ForeignPart {
  /** Key of the object. */
  readonly object: string;
  /** Counts from 1; absent where the object as a whole cannot be read, or cannot be read further. */
  readonly line?: number;
  /** One sentence for people. Never holds the content. */
  readonly fault: string;
}

/** Takes note of a foreign part, which is then passed over; or throws. */
export type OnForeign = (part: ForeignPart) => void;

/** A line of the archive. */
export interface ArchivedLine {
  readonly object: string;
  readonly text: string;
  readonly entry: ArchivedEntry;
}

export interface ArchivedLinesOptions extends ArchiveWindow {
  /** Default: throws `ARCHIVE_LINE_INVALID` or `ARCHIVE_OBJECT_INVALID`. */
  readonly onForeign?: OnForeign;
}

/** Every line of the objects that may hold arrivals of the window, object by object: not in the order of positions. */
export async function* archivedLines(
  objects: ArchiveObjects,
  { onForeign = refuseForeign, ...window }: ArchivedLinesOptions,
): AsyncGenerator<ArchivedLine> {
  for await (const { key } of objects.list(window)) {
    yield* linesOfObject(objects, key, onForeign, window.signal);
  }
}

/** The lines of one object, decompressed as they come. */
export async function* linesOfObject(
  objects: ArchiveObjects,
  object: string,
  onForeign: OnForeign = refuseForeign,
  signal?: AbortSignal,
): AsyncGenerator<ArchivedLine> {
  const lines = readLines(objects.read(object, signal), {
    name: object,
    lineBytesMax: ARCHIVE_LINE_BYTES_MAX,
    onTooLong: (line) => onForeign({ object, line, fault: 'longer than a line of the archive' }),
  });
  try {
    for await (const { number, text: line } of lines) {
      if (line === '') continue;
      const entry = entryOf(line);
      if (entry === undefined) onForeign({ object, line: number, fault: 'not a line of the archive' });
      else yield { object, text: line, entry };
    }
  } catch (error) {
    const fault = gzipFault(error);
    if (fault === undefined) throw error;
    onForeign({ object, fault });
  }
}

function entryOf(line: string): ArchivedEntry | undefined {
  try {
    return readArchiveLine(line);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Why bytes are not those of a GZIP file, or not all of them; undefined for another error. */
function gzipFault(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('Z_') && error instanceof Error
    ? `not a whole GZIP file: ${error.message}`
    : undefined;
}

/** What a reader throws that passes nothing over. */
export function foreignError({ object, line, fault }: ForeignPart): CodedError {
  const code = line === undefined ? 'ARCHIVE_OBJECT_INVALID' : 'ARCHIVE_LINE_INVALID';
  return new CodedError(code, `${foreignName({ object, line })}: ${fault}`);
}

/** The name of a foreign part for people. */
export function foreignName({
  object,
  line,
}: Pick<ForeignPart, 'object'> & { line?: number | undefined }): string {
  return line === undefined ? object : `${object} line ${line}`;
}

function refuseForeign(part: ForeignPart): never {
  throw foreignError(part);
}

/** Foreign parts that are named; the rest is counted. */
export const FOREIGN_NAMED_MAX = 100;

/** Foreign parts as they are met. */
export interface ForeignTally {
  count: number;
  readonly named: ForeignPart[];
}

/** Counts a foreign part, and names it while there are few. */
export function noteForeign(tally: ForeignTally, part: ForeignPart): void {
  tally.count += 1;
  if (tally.named.length < FOREIGN_NAMED_MAX) tally.named.push(part);
}
