import { ATTRIBUTE_PREFIX, CSV, type ListedDevice, NDJSON } from '@twinstream/api-contract';
import { LABELS } from '@twinstream/device-model';

const JSON_TYPE = 'application/json';
export type ListFormat = typeof JSON_TYPE | typeof NDJSON | typeof CSV;
const FORMATS: readonly ListFormat[] = [JSON_TYPE, NDJSON, CSV];

/** The format of a list that `Accept` prefers (RFC 9110, 12.5.1): JSON among equals, and where none of them is named. */
export function listFormat(accept: string): ListFormat {
  const wanted = accept.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const quality = parameters.find((text) => text.startsWith('q='))?.slice(2);
    return { type, quality: quality === undefined ? 1 : Number(quality) || 0 };
  });
  const qualityOf = (format: ListFormat) => wanted.find(({ type }) => type === format)?.quality ?? 0;
  const [best = JSON_TYPE] = [...FORMATS].sort((a, b) => qualityOf(b) - qualityOf(a));
  return best;
}

/** A page of a list in another format than JSON. Where there is a next page, its cursor is in a header. */
export function listAnswer(format: ListFormat, text: string, cursor: string | undefined): Response {
  return new Response(text, {
    headers: {
      'content-type': format,
      'cache-control': 'no-store',
      vary: 'Accept',
      ...(cursor === undefined ? {} : { 'next-cursor': cursor }),
    },
  });
}

/** One JSON text a line. */
export function ndjson(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

type Cell = readonly [column: string, value: unknown];

/**
 * Devices as a table (RFC 4180): a column for each member and each attribute that any of them has.
 *
 * @param attributeNames attributes that have a column in any case
 */
export function devicesCsv(devices: readonly ListedDevice[], attributeNames: readonly string[] = []): string {
  const rows = devices.map((device) => new Map(cellsOf(device)));
  const named = attributeNames.map(attributeColumn);
  const columns = [...new Set(['deviceId', ...rows.flatMap((row) => [...row.keys()]), ...named])];
  const members = columns.filter((column) => !column.startsWith(ATTRIBUTE_PREFIX));
  const attributes = columns.filter((column) => column.startsWith(ATTRIBUTE_PREFIX)).sort();
  const header = [...members, ...attributes];
  const lines = [header, ...rows.map((row) => header.map((column) => cellText(row.get(column))))];
  return lines.map((cells) => `${cells.map(quoted).join(',')}\r\n`).join('');
}

/** A device without a position has these columns, too. */
const POSITION = ['shardId', 'sequenceNumber', 'subSequenceNumber'] as const;

function attributeColumn(name: string): string {
  return `${ATTRIBUTE_PREFIX}${name}`;
}

function* cellsOf(device: ListedDevice): Generator<Cell> {
  const { deviceId, attributes = {}, labels, counts, version, position, troubles, ...rest } = device;
  yield ['deviceId', deviceId];
  yield* Object.entries(rest);
  if (labels !== undefined) for (const name of LABELS) yield [name, labels[name]];
  if (counts !== undefined) yield* Object.entries(counts);
  if (version !== undefined) {
    yield ['session', version?.session];
    yield ['counter', version?.counter];
  }
  if (position !== undefined) for (const name of POSITION) yield [name, position?.[name]];
  if (troubles !== undefined) yield ['troubles', troubles.map(({ trouble }) => trouble).join(' ')];
  for (const [name, value] of Object.entries(attributes)) yield [attributeColumn(name), value];
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
