import { isJsonObject, type JsonObject, type JsonValue, parseExactJson } from '@twinstream/device-model';
import { decodeBytes, LINE_BYTES_MAX, type Line } from './line-reader.ts';
import { eventOfLine, eventOfRow, type RecordedEvent } from './recorded-event.ts';
import { type BadRow, type FlatRow, quoted, type RowColumns } from './row.ts';

/**
 * The event on a line of NDJSON: a whole device event, which is taken as it stands, or a flat object, of which `columns`
 * say what its members are. Without `columns` every line must be a whole event; with them, a line is one when it has
 * `deviceId`, `v` and an object `data` (or is a `connected` or `disconnected` without any).
 *
 * Undefined for an empty line.
 */
export function eventOfJsonLine(
  line: Line,
  columns: RowColumns | undefined,
  offset: string | undefined,
): RecordedEvent | BadRow | undefined {
  const { number } = line;
  const text = textOfLine(line);
  if (text === '') return undefined;
  if (typeof text === 'object') return text;
  if (columns === undefined) return eventOfLine(number, text);
  const value = parse(text);
  if (value === undefined) return { line: number, reason: 'the line is not JSON' };
  if (!isJsonObject(value)) return { line: number, reason: 'the line is not a JSON object' };
  if (isWholeEvent(value)) return eventOfLine(number, text);
  const row = flatRow(number, value, columns);
  return 'reason' in row ? row : eventOfRow(row, offset);
}

/**
 * A line that is put as it is, whatever its JSON means: a payload mapping makes events of it. Its partition key is the text or
 * number at `key`, a path of names with points. Undefined for an empty line.
 */
export function rawLine(line: Line, key: string): RecordedEvent | BadRow | undefined {
  const { number } = line;
  const text = textOfLine(line);
  if (text === '') return undefined;
  if (typeof text === 'object') return text;
  let value = parse(text);
  if (value === undefined) return { line: number, reason: 'the line is not JSON' };
  for (const name of key.split('.')) {
    const isHolder = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    value = isHolder ? (value as JsonObject)[name] : undefined;
  }
  const deviceId = typeof value === 'number' ? String(value) : value;
  if (typeof deviceId !== 'string' || deviceId === '' || deviceId.length > PARTITION_KEY_CHARACTERS_MAX) {
    const limit = PARTITION_KEY_CHARACTERS_MAX;
    return { line: number, reason: `there is no text of 1-${limit} characters or number at ${quoted(key)}` };
  }
  const unknown = { type: 'raw', time: '', timeMs: 0, identity: undefined, isUncounted: false };
  return { deviceId, ...unknown, head: '', tail: text };
}

/** Of a record of a stream (Kinesis API reference, "PutRecords", read 2026-11). */
const PARTITION_KEY_CHARACTERS_MAX = 256;

/** Without spaces around it: empty for an empty line. */
function textOfLine({ number, bytes }: Line): string | BadRow {
  if (bytes === undefined) return { line: number, reason: `the line is longer than ${LINE_BYTES_MAX} bytes` };
  return decodeBytes(bytes)?.trim() ?? { line: number, reason: 'the line is not UTF-8' };
}

function isWholeEvent({ v, deviceId, type, data }: JsonObject): boolean {
  if (v === undefined || deviceId === undefined) return false;
  return isJsonObject(data) || (data === undefined && (type === 'connected' || type === 'disconnected'));
}

/** Undefined for what is not JSON. A number that would change on the way stays text. */
function parse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

const MEMBERS_LISTED_MAX = 20;

function flatRow(line: number, value: JsonObject, columns: RowColumns): FlatRow | BadRow {
  const missing = [columns.id, columns.time].find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) {
    const names = Object.keys(value).slice(0, MEMBERS_LISTED_MAX).map(quoted).join(', ');
    return { line, reason: `there is no member ${JSON.stringify(missing)}; there are: ${names}` };
  }
  const special = new Set([columns.id, columns.time, columns.type, columns.session, columns.counter]);
  const data: Record<string, JsonValue> = Object.create(null);
  for (const [name, member] of Object.entries(value)) if (!special.has(name)) data[name] = member;
  const member = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : textOf(Object.hasOwn(value, name) ? value[name] : undefined);
  return {
    line,
    id: member(columns.id) ?? '',
    time: member(columns.time) ?? '',
    type: member(columns.type) || 'reported',
    session: member(columns.session),
    counter: member(columns.counter),
    data,
  };
}

function textOf(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' ? String(value) : '';
}
