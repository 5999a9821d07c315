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
  if (line.bytes === undefined) {
    return { line: number, reason: `the line is longer than ${LINE_BYTES_MAX} bytes` };
  }
  const text = decodeBytes(line.bytes)?.trim();
  if (text === undefined) return { line: number, reason: 'the line is not UTF-8' };
  if (text === '') return undefined;
  if (columns === undefined) return eventOfLine(number, text);
  const value = parse(text);
  if (value === undefined) return { line: number, reason: 'the line is not JSON' };
  if (!isJsonObject(value)) return { line: number, reason: 'the line is not a JSON object' };
  if (isWholeEvent(value)) return eventOfLine(number, text);
  const row = flatRow(number, value, columns);
  return 'reason' in row ? row : eventOfRow(row, offset);
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
