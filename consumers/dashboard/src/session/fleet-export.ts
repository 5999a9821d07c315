import { LIMIT_MAX } from '@twinstream/api-contract/values';
import { exportDevices } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import type { FleetQuery } from '../model/fleet-query.ts';
import { attributeColumns } from './address.ts';
import { attributeNames, ROWS_MAX } from './fleet-session.ts';

export const EXPORT_FORMATS = [
  { title: 'CSV', mediaType: 'text/csv', ending: 'csv' },
  { title: 'NDJSON', mediaType: 'application/x-ndjson', ending: 'ndjson' },
] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const MEMBERS = ['status', 'liveness', 'labels', 'counts', 'version', 'lastEventTime', 'lastArrivalTime'];
/** Longest text of fields that the API takes, and most names in it. */
const FIELDS_CHARACTERS_MAX = 2_048;
const FIELDS_MAX = 100;

/** Members and attributes to export: they are named, so that all pages have the same columns. */
function fieldsOf(names: readonly string[]): string {
  const fields = ['deviceId', ...MEMBERS];
  for (const name of names) {
    const field = `attributes.${name}`;
    if (name.includes(',') || fields.length === FIELDS_MAX) continue;
    if ([...fields, field].join(',').length > FIELDS_CHARACTERS_MAX) break;
    fields.push(field);
  }
  return fields.join(',');
}

/** The header of a table (RFC 4180) with its end of line, which may stand within quotes, too. */
function csvHeader(text: string): string {
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '"') isQuoted = !isQuoted;
    if (text[index] === '\n' && !isQuoted) return text.slice(0, index + 1);
  }
  return text;
}

/** Reads all pages of a list and saves them as a file; returns why it could not. Up to as many devices as the page holds. */
export async function exportFleet(
  query: FleetQuery,
  { mediaType, ending }: ExportFormat,
  onProgress: (devices: number) => void,
): Promise<Failure | undefined> {
  const fields = fieldsOf([...new Set([...attributeColumns.peek(), ...attributeNames.peek()])]);
  const parts: string[] = [];
  let header = '';
  let cursor: string | undefined;
  for (let count = LIMIT_MAX; ; count += LIMIT_MAX) {
    const outcome = await exportDevices(query, { limit: LIMIT_MAX, cursor }, fields, mediaType);
    if (outcome.kind === 'aborted') return undefined;
    if (outcome.kind !== 'answered') return outcome;
    const { text, nextCursor } = outcome.value;
    if (ending === 'csv' && parts.length === 0) header = csvHeader(text);
    parts.push(
      parts.length > 0 && header !== '' && text.startsWith(header) ? text.slice(header.length) : text,
    );
    cursor = nextCursor;
    if (cursor === undefined || count >= ROWS_MAX) break;
    onProgress(count);
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type: mediaType }));
  link.download = `devices-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.${ending}`;
  link.click();
  URL.revokeObjectURL(link.href);
  return undefined;
}
