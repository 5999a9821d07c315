import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { StreamRecord } from './lambda-batch.ts';
import type { Position } from './position.ts';
import { isSequenceNumber } from './sequence-number.ts';
import { isShardId, type ShardId } from './shard-id.ts';
import { openRecord, type UserRecordEntry } from './user-records.ts';

/**
 * How a line holds its bytes. `event`: verbatim, because they are one JSON value without a line break inside. `base64`: any
 * other bytes. `tooLarge`: their number and SHA-256 alone, because neither form fits into a line.
 */
export type ArchiveForm = 'event' | 'base64' | 'tooLarge';

/**
 * One line of the archive, for one entry of a record:
 * `{"shardId","sequenceNumber","subSequenceNumber","arrivalTime","partitionKey"}` and the form's member at its end.
 *
 * An `event` member holds the bytes as they came, between its colon and the last brace. The line end with which an event is
 * put is the line's own; where the bytes had none, a space before the member's name says so. Hence every line restores
 * exactly the bytes it was made of, and {@link readArchiveLine} does.
 */
export interface ArchiveLine {
  readonly form: ArchiveForm;
  /** The line with its end, each character one byte of its UTF-8 (`latin1` writes it as it is). */
  readonly binary: string;
}

/** Largest line without the bytes of its entry: every character of the longest partition key escaped. */
export const ARCHIVE_HEAD_BYTES_MAX = 2_048;
/** Largest line of an archive: it travels in one record of Firehose (1,000 KiB, "Quota", developer guide, read 2026-11). */
export const ARCHIVE_LINE_BYTES_MAX = 1_000 * 1024;

const EVENT = ',"event":';
const EVENT_WITHOUT_LINE_END = ', "event":';

/**
 * Lines of one record, in order: one for each entry, one for a damaged aggregate, none for an aggregate without entries.
 *
 * @param lineBytesMax largest line, line end included. No head is larger than {@link ARCHIVE_HEAD_BYTES_MAX}, so an entry of
 *   three quarters of the rest always fits in one form or another.
 */
export function* archiveLines(
  shardId: ShardId,
  record: StreamRecord,
  lineBytesMax: number,
): Generator<ArchiveLine, void, undefined> {
  const { sequenceNumber, arrivalTime } = record;
  const place = `{"shardId":"${shardId}","sequenceNumber":"${sequenceNumber}","subSequenceNumber":`;
  const time = `,"arrivalTime":"${new Date(arrivalTime).toISOString()}","partitionKey":`;
  for (const entry of openRecord(record).entries) {
    const head = `${place}${entry.subSequenceNumber}${time}${binaryJson(entry.partitionKey)}`;
    yield archiveLine(head, entry, lineBytesMax);
  }
}

function archiveLine(head: string, { data }: UserRecordEntry, lineBytesMax: number): ArchiveLine {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (head.length + bytes.length + EVENT.length < lineBytesMax) {
    const member = eventMember(bytes);
    if (member !== undefined) {
      const binary = `${head}${member}}\n`;
      if (binary.length <= lineBytesMax) return { form: 'event', binary };
    }
    const binary = `${head},"base64":"${bytes.toString('base64')}"}\n`;
    if (binary.length <= lineBytesMax) return { form: 'base64', binary };
  }
  const digest = hash('sha256', bytes, 'hex');
  return { form: 'tooLarge', binary: `${head},"tooLarge":${bytes.length},"sha256":"${digest}"}\n` };
}

/**
 * The member that holds these bytes verbatim, or undefined where only base64 can. Bytes that are UTF-8 are JSON exactly when
 * they are JSON read as Latin-1, because JSON admits characters beyond ASCII in texts alone, and there all of them; so no
 * text has to be decoded, and no byte order mark passes.
 */
function eventMember(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('latin1');
  const lineEnd = text.indexOf('\n');
  if ((lineEnd !== -1 && lineEnd !== text.length - 1) || text.includes('\r')) return undefined;
  const value = lineEnd === -1 ? text : text.slice(0, -1);
  try {
    JSON.parse(value);
  } catch {
    return undefined;
  }
  return `${lineEnd === -1 ? EVENT_WITHOUT_LINE_END : EVENT}${value}`;
}

const ASCII = /^[ -~]*$/;

/** A text as JSON, each character one byte of its UTF-8. */
function binaryJson(text: string): string {
  const json = JSON.stringify(text);
  return ASCII.test(json) ? json : Buffer.from(json).toString('latin1');
}

/** What a line of the archive says. */
export type ArchivedEntry = Position & {
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly partitionKey: string;
} & (
    | { readonly form: 'event' | 'base64'; readonly data: Buffer }
    | { readonly form: 'tooLarge'; readonly bytes: number; readonly sha256: string }
  );

// The head as archiveLines writes it: no text before the partition key holds a character that JSON would escape.
const HEAD =
  /^\{"shardId":"([^"]+)","sequenceNumber":"(\d+)","subSequenceNumber":(\d{1,15}),"arrivalTime":"([^"]+)","partitionKey":"/;
// Texts of the head cannot hold it: inside a JSON text every quotation mark has a backslash before it.
const EVENT_MEMBER = /,( ?)"event":/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Where the entry of a line lies, and when it arrived; undefined for a text that does not begin like a line of the archive. */
export function readArchiveHead(line: string): (Position & { readonly arrivalTime: number }) | undefined {
  const [, shardId = '', sequenceNumber = '', subSequenceNumber, time = ''] = HEAD.exec(line) ?? [];
  const arrivalTime = Date.parse(time);
  if (!isShardId(shardId) || !isSequenceNumber(sequenceNumber) || Number.isNaN(arrivalTime)) return undefined;
  return { shardId, sequenceNumber, subSequenceNumber: Number(subSequenceNumber), arrivalTime };
}

/** Reads a line that {@link archiveLines} made, decoded from UTF-8 and without its line end. Throws RangeError for any other text. */
export function readArchiveLine(line: string): ArchivedEntry {
  const place = readArchiveHead(line);
  if (place === undefined) throw notAnArchiveLine();
  const member = EVENT_MEMBER.exec(line);
  const isEvent = member !== null;
  const { partitionKey, base64, tooLarge, sha256 } = readObject(
    isEvent ? `${line.slice(0, member.index)}}` : line,
  );
  if (typeof partitionKey !== 'string') throw notAnArchiveLine();
  if (isEvent) {
    if (!line.endsWith('}')) throw notAnArchiveLine();
    const lineEnd = member[1] === '' ? '\n' : '';
    const value = line.slice(member.index + member[0].length, -1);
    readJson(value);
    return { ...place, partitionKey, form: 'event', data: Buffer.from(`${value}${lineEnd}`) };
  }
  if (typeof base64 === 'string') {
    const data = Buffer.from(base64, 'base64');
    if (data.toString('base64') !== base64) throw notAnArchiveLine();
    return { ...place, partitionKey, form: 'base64', data };
  }
  if (typeof tooLarge === 'number' && typeof sha256 === 'string' && SHA256.test(sha256)) {
    return { ...place, partitionKey, form: 'tooLarge', bytes: tooLarge, sha256 };
  }
  throw notAnArchiveLine();
}

function readObject(json: string): Record<string, unknown> {
  const value = readJson(json);
  if (typeof value !== 'object' || value === null) throw notAnArchiveLine();
  return { ...value };
}

function readJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw notAnArchiveLine(cause);
  }
}

function notAnArchiveLine(cause?: unknown): RangeError {
  return new RangeError('not a line of the archive', { cause });
}
