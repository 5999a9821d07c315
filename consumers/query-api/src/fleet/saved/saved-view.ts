import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { CodedError } from '@twinstream/runtime';
import { isSequenceNumber, isShardId, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import { z } from 'zod';
import { SAVED_VERSION, type SavedRow } from '../columns/saved-row.ts';
import type { ShardVector } from '../coverage.ts';

/*
 * A saved view is lines of JSON under zstd: what the view is of and how far it reaches, rows, and the check. Rows are taken while
 * they change: each is at least as new as the positions say, which is all that a reader needs.
 */

/** What a view was of, and everything that it held: whatever its vector says was finished. */
export interface SavedViewHead {
  readonly streamName: string;
  /** Names what the table stands for. */
  readonly generation: string;
  /** Whatever was finished before then is in it; milliseconds since 1970. */
  readonly asOf: number;
  /** By shard: everything finished at or below is in it. The change feed goes on after it. */
  readonly vector: ShardVector;
  /** When the last reading of the whole table began, milliseconds since 1970. */
  readonly readStartTime: number;
}

/** Rows of one line: as many as are made without a pause. */
export const LINE_ROWS = 500;

const FORMAT = 'twinstream-fleet';
const headSchema = z.object({
  format: z.literal(FORMAT),
  version: z.int(),
  streamName: z.string(),
  generation: z.string(),
  asOf: z.number(),
  vector: z.array(z.tuple([z.string().refine(isShardId), z.string().refine(isSequenceNumber)])),
  readStartTime: z.number(),
});
const checkSchema = z.object({ rows: z.int(), sha256: z.string() });

/** @param lines of up to {@link LINE_ROWS} rows each */
export function writeSavedView(head: SavedViewHead, lines: AsyncIterable<readonly SavedRow[]>): Readable {
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const source = Readable.from(savedText(head, lines), { objectMode: false });
  source.on('error', (error) => compress.destroy(error));
  return source.pipe(compress);
}

async function* savedText(
  head: SavedViewHead,
  lines: AsyncIterable<readonly SavedRow[]>,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const line = (value: unknown) => {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    hash.update(bytes);
    return bytes;
  };
  let rows = 0;
  yield line({ format: FORMAT, version: SAVED_VERSION, ...head, vector: [...head.vector] });
  for await (const some of lines) {
    rows += some.length;
    yield line(lineOf(some));
  }
  yield Buffer.from(`${JSON.stringify({ rows, sha256: hash.digest('hex') })}\n`);
}

export interface SavedViewReader {
  /** Throws where the view is not one to go on from. */
  readonly onHead: (head: SavedViewHead) => void;
  /** What it hears is not checked before the reading has ended. */
  readonly onRows: (rows: readonly SavedRow[]) => void;
}

/**
 * Reads a view that was saved. Throws `SAVED_VIEW_DAMAGED` where it is not whole, also after rows were heard, and
 * `SAVED_VIEW_VERSION` where another version has saved it.
 */
export async function readSavedView(
  bytes: AsyncIterable<Uint8Array>,
  { onHead, onRows }: SavedViewReader,
): Promise<void> {
  const hash = createHash('sha256');
  let isHead = true;
  let rows = 0;
  let check: z.infer<typeof checkSchema> | undefined;
  for await (const line of linesOf(bytes)) {
    if (check !== undefined) throw damaged('goes on after its end');
    const value = jsonOf(line);
    if (!isHead && !Array.isArray(value)) {
      check = checkSchema.safeParse(value).data;
      if (check === undefined) throw damaged('has a line that is not of it');
      continue;
    }
    hash.update(line).update('\n');
    if (isHead) onHead(headOf(value));
    else {
      rows += hear(value as SavedLine, onRows);
    }
    isHead = false;
  }
  if (check === undefined) throw damaged('ends before its end');
  if (check.rows !== rows || check.sha256 !== hash.digest('hex')) throw damaged('does not meet its check');
}

/**
 * Hands on the rows of a line, and returns how many. They are not checked one by one, which would take as long as reading them: what is not of
 * their form throws something somewhere, or does not meet the check at the end.
 */
function hear(line: SavedLine, onRows: SavedViewReader['onRows']): number {
  try {
    const rows = rowsOf(line);
    onRows(rows);
    return rows.length;
  } catch (error) {
    throw error instanceof CodedError ? error : damaged('has a row that is not of it', error);
  }
}

function headOf(value: unknown): SavedViewHead {
  const head = headSchema.safeParse(value);
  if (!head.success) throw damaged('has no head');
  const { version, vector, streamName, generation, asOf, readStartTime } = head.data;
  if (version !== SAVED_VERSION) {
    throw new CodedError('SAVED_VIEW_VERSION', `version ${version} is not ${SAVED_VERSION}`);
  }
  const entries = vector as [ShardId, SequenceNumber][];
  return { streamName, generation, asOf, readStartTime, vector: new Map(entries) };
}

/** Texts that many rows have stand once in a line, and are found by their index: they would be parsed and compared for each row. */
type SavedLine = readonly [texts: readonly string[], rows: readonly LineRow[]];
type LineRow = readonly [
  ...head: [SavedRow[0], SavedRow[1], SavedRow[2], SavedRow[3]],
  shape: number,
  shards: number,
  labels: readonly (number | null)[],
  cells: SavedRow[7],
];

function lineOf(some: readonly SavedRow[]): SavedLine {
  const indexes = new Map<string, number>();
  const indexOf = (text: string) => {
    const index = indexes.get(text) ?? indexes.size;
    indexes.set(text, index);
    return index;
  };
  const rows = some.map(
    ([id, numbers, status, flags, shape, shards, labels, cells]): LineRow => [
      ...([id, numbers, status, flags] as const),
      indexOf(shape),
      indexOf(shards),
      labels.map((label) => (label === null ? null : indexOf(label))),
      cells,
    ],
  );
  return [[...indexes.keys()], rows];
}

function rowsOf([texts, rows]: SavedLine): SavedRow[] {
  return rows.map(([id, numbers, status, flags, shape, shards, labels, cells]) => [
    ...([id, numbers, status, flags] as const),
    texts[shape] ?? '',
    texts[shards] ?? '',
    labels.map((label) => (label === null ? null : (texts[label] ?? ''))),
    cells,
  ]);
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const source = Readable.from(bytes, { objectMode: false });
  const decompress = createZstdDecompress();
  source.on('error', (error) => decompress.destroy(error));
  let parts: Buffer[] = [];
  try {
    for await (const chunk of source.pipe(decompress)) {
      let rest: Buffer = chunk;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        yield Buffer.concat([...parts, rest.subarray(0, end)]);
        parts = [];
        rest = rest.subarray(end + 1);
      }
      if (rest.length > 0) parts.push(rest);
    }
  } catch (error) {
    throw isOfZlib(error) ? damaged('cannot be decompressed', error) : error;
  }
  if (parts.length > 0) throw damaged('ends within a line');
}

/** Node names the errors of zlib so, those of zstd among them. */
function isOfZlib(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:Z_|ZSTD_|ERR_ZLIB)/.test(code);
}

function jsonOf(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch (error) {
    throw damaged('has a line that is not JSON', error);
  }
}

function damaged(how: string, cause?: unknown): CodedError {
  return new CodedError('SAVED_VIEW_DAMAGED', `the saved view ${how}`, { cause });
}
