import { CodedError } from '@twinstream/runtime';
import { cellValue } from './cell-value.ts';
import type { CsvRow } from './csv-rows.ts';
import type { BadRow, FlatRow, RowColumns } from './row.ts';

/** Characters that may stand between cells, the likeliest first. */
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** The delimiter of a file: the one that its header line holds most often outside of quotes. */
export function delimiterOf(headerLine: string): string {
  const bare = headerLine.replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}

/**
 * Tells apart the columns of rows under a header. A column without a name is called `column-<number>`, and one whose
 * name an earlier one has `<name>-<number>`, the number once more where the header has that name too: no value is lost.
 *
 * Throws `UNKNOWN_COLUMN`, listing the columns there are, when the header lacks one of `columns`.
 */
export function flatRows(header: readonly string[], columns: RowColumns): (row: CsvRow) => FlatRow | BadRow {
  const names = namesOf(header);
  const indexOf = (name: string): number => {
    const index = names.indexOf(name);
    if (index === -1) throw unknownColumn(name, names);
    return index;
  };
  const optional = (name: string | undefined): number => (name === undefined ? -1 : indexOf(name));
  const id = indexOf(columns.id);
  const time = indexOf(columns.time);
  const type = optional(columns.type);
  const session = optional(columns.session);
  const counter = optional(columns.counter);
  const special = new Set([id, time, type, session, counter]);
  const dataColumns = [...names.entries()].filter(([index]) => !special.has(index));

  return ({ line, cells }) => {
    if (cells.length !== names.length) {
      return { line, reason: `it has ${cells.length} cells where the header has ${names.length}` };
    }
    const text = (index: number): string => (cells[index] ?? '').trim();
    // Without a prototype, so that a column may have any name.
    const data: Record<string, ReturnType<typeof cellValue>> = Object.create(null);
    for (const [index, name] of dataColumns) data[name] = cellValue(cells[index] ?? '');
    return {
      line,
      id: text(id),
      time: text(time),
      type: text(type) || 'reported',
      session: session === -1 ? undefined : text(session),
      counter: counter === -1 ? undefined : text(counter),
      data,
    };
  };
}

const COLUMNS_LISTED_MAX = 50;

/** Says which columns there are. */
export function unknownColumn(name: string, names: readonly string[]): CodedError {
  const listed = names.slice(0, COLUMNS_LISTED_MAX).join(', ');
  const more = names.length > COLUMNS_LISTED_MAX ? `, and ${names.length - COLUMNS_LISTED_MAX} more` : '';
  return new CodedError(
    'UNKNOWN_COLUMN',
    `there is no column ${JSON.stringify(name)}; there are: ${listed}${more}`,
  );
}

function namesOf(header: readonly string[]): readonly string[] {
  const written = header.map((cell) => cell.trim());
  const taken = new Set(written);
  return written.map((name, index) => {
    if (name !== '' && written.indexOf(name) === index) return name;
    const number = index + 1;
    let own = name === '' ? `column-${number}` : `${name}-${number}`;
    while (taken.has(own)) own += `-${number}`;
    taken.add(own);
    return own;
  });
}
