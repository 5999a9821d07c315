import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CodedError } from '@twinstream/runtime';
import { delimiterOf, flatRows } from './csv-header.ts';
import { type CsvRow, csvReader } from './csv-rows.ts';
import { decodeBytes, type Line, readLines } from './line-reader.ts';
import { eventOfJsonLine, rawLine } from './ndjson-rows.ts';
import { eventOfRow, type RecordedEvent } from './recorded-event.ts';
import { type BadRow, isBadRow, type RowColumns } from './row.ts';

/** Where a recording is, and how its rows are to be read. */
export interface RecordingSettings {
  /** A file, or `-` for standard input. */
  readonly path: string;
  /** Needed for CSV, and for NDJSON whose lines are not device events already. */
  readonly columns: RowColumns | undefined;
  /** Offset of times that name none; rows with such times are bad when it is undefined. */
  readonly offset: string | undefined;
  /** Member that is the partition key of lines which are put as they are, `a.b` where it is nested; absent: lines are events. */
  readonly rawKey?: string;
}

/** An event, or the row that can be none. */
export type RecordedRow = RecordedEvent | BadRow;

const READ_BYTES = 256 * 1024;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

/**
 * The rows of a recording in the order of the file, in batches, reading no further than they are asked for. What the file
 * is, its content says and not its name: gzip or not, NDJSON (its first line begins with `{`) or CSV with a header.
 *
 * Throws, at the first batch or later: `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` (also gzip that is damaged or cut off, after the
 * rows before it), `INPUT_EMPTY`, `INPUT_NOT_ROWS`, `COLUMNS_NEEDED`, `UNKNOWN_COLUMN`.
 */
export async function* readRecording(settings: RecordingSettings): AsyncGenerator<readonly RecordedRow[]> {
  let lastLine = 0;
  let parser: LineParser | undefined;
  try {
    for await (const lines of readLines(unzipped(fileChunks(settings.path)))) {
      lastLine = lines.at(-1)?.number ?? lastLine;
      parser ??= parserFor(lines, settings);
      const rows = lines.flatMap((line) => parser?.push(line) ?? []);
      if (rows.length > 0) yield rows;
    }
  } catch (error) {
    throw inputError(error, settings.path, lastLine);
  }
  if (parser === undefined) throw new CodedError('INPUT_EMPTY', `${settings.path} holds no rows`);
  const rest = parser.end();
  if (rest.length > 0) yield rest;
}

async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  const stream = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES });
  for await (const chunk of stream) yield chunk;
}

/** The chunks, out of gzip where their first two bytes say that they are in it. */
async function* unzipped(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < GZIP_MAGIC.length) {
    const read = await chunks.next();
    if (read.done) break;
    head = Buffer.concat([head, read.value]);
  }
  const all = prepended(head, chunks);
  if (!GZIP_MAGIC.every((byte, index) => head[index] === byte)) {
    yield* all;
    return;
  }
  // A failure of either reaches the loop below through the stream that it reads.
  yield* pipeline(Readable.from(all), createGunzip({ chunkSize: READ_BYTES }), () => undefined);
}

async function* prepended(head: Buffer, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* chunks;
}

/** Makes rows of lines. */
interface LineParser {
  push(line: Line): readonly RecordedRow[];
  end(): readonly RecordedRow[];
}

/** Undefined while there are only empty lines. */
function parserFor(lines: readonly Line[], settings: RecordingSettings): LineParser | undefined {
  const first = lines.find((line) => line.bytes === undefined || line.bytes.trim() !== '');
  if (first === undefined) return undefined;
  if (first.bytes === undefined || hasBareCr(first.bytes)) throw linesNotEnded(settings.path);
  if (settings.rawKey !== undefined) return rawParser(settings.rawKey);
  const start = first.bytes?.trimStart()[0];
  if (start === '[') {
    throw new CodedError(
      'INPUT_NOT_ROWS',
      `${settings.path} begins with "[": NDJSON has one object on each line`,
    );
  }
  return start === '{' ? ndjsonParser(settings) : csvParser(first, settings);
}

function ndjsonParser({ columns, offset }: RecordingSettings): LineParser {
  return {
    push(line) {
      const row = eventOfJsonLine(line, columns, offset);
      return row === undefined ? [] : [row];
    },
    end: () => [],
  };
}

function rawParser(rawKey: string): LineParser {
  return {
    push(line) {
      const row = rawLine(line, rawKey);
      return row === undefined ? [] : [row];
    },
    end: () => [],
  };
}

function csvParser(headerLine: Line, { path, columns, offset }: RecordingSettings): LineParser {
  const text = decodeBytes(headerLine.bytes ?? '');
  if (text === undefined || text === '') {
    throw new CodedError('INPUT_NOT_ROWS', `${path} begins neither with a CSV header nor with a JSON object`);
  }
  const reader = csvReader(delimiterOf(text));
  let hasRows = false;
  let flat: ReturnType<typeof flatRows> | undefined;

  function toEvent(row: CsvRow | BadRow): readonly RecordedRow[] {
    if (isBadRow(row)) {
      hasRows = true;
      return [row];
    }
    if (flat === undefined) {
      if (columns === undefined) throw columnsNeeded(row.cells);
      flat = flatRows(row.cells, columns);
      return [];
    }
    hasRows = true;
    const flatRow = flat(row);
    return [isBadRow(flatRow) ? flatRow : eventOfRow(flatRow, offset)];
  }

  return {
    push: (line) => reader.push(line).flatMap(toEvent),
    end: () => {
      const rows = reader.end().flatMap(toEvent);
      if (!hasRows) throw new CodedError('INPUT_EMPTY', `${path} holds a header and no rows`);
      return rows;
    },
  };
}

/** Whether a carriage return stands outside of quotes: the file's lines end with it alone. */
function hasBareCr(line: string): boolean {
  return line.includes('\r') && line.replace(/"[^"]*"/g, '').includes('\r');
}

function linesNotEnded(path: string): CodedError {
  const how = `its lines must end with LF or CRLF (such as: tr '\\r' '\\n' < ${path})`;
  return new CodedError('INPUT_NOT_ROWS', `the first line of ${path} does not end: ${how}`);
}

function columnsNeeded(names: readonly string[]): CodedError {
  return new CodedError(
    'COLUMNS_NEEDED',
    `CSV needs --id-column and --time-column; there are: ${names.map((name) => name.trim()).join(', ')}`,
  );
}

function inputError(error: unknown, path: string, lastLine: number): unknown {
  if (error instanceof CodedError || !(error instanceof Error) || !('code' in error)) return error;
  if (error.code === 'ENOENT') return new CodedError('INPUT_NOT_FOUND', `there is no file ${path}`);
  const where = lastLine === 0 ? '' : ` after line ${lastLine}`;
  return new CodedError('INPUT_UNREADABLE', `${path} cannot be read${where}: ${error.message}`, {
    cause: error,
  });
}
