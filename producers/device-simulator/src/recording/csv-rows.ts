import { decodeBytes, LINE_BYTES_MAX, type Line } from './line-reader.ts';
import type { BadRow } from './row.ts';

/** One row, as text. */
export interface CsvRow {
  /** Number of the line that it begins on. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Lines that one row may span at most. */
export const ROW_LINES_MAX = 1_000;

/**
 * Reads CSV as RFC 4180 describes it, line by line, and recovers from what is wrong: a row that cannot be read costs its
 * first line, and reading goes on with the next. So does a quote that is never closed: within {@link ROW_LINES_MAX} lines
 * and {@link LINE_BYTES_MAX} bytes, or by the end of the file. A quote inside of an unquoted cell is an ordinary
 * character. Empty lines are passed over.
 */
export interface CsvReader {
  push(line: Line): readonly (CsvRow | BadRow)[];
  /** Says that there are no more lines. */
  end(): readonly (CsvRow | BadRow)[];
}

export function csvReader(delimiter: string): CsvReader {
  /** Lines of a row whose quoted cell is still open. */
  let open: Line[] = [];
  let openBytes = 0;

  function giveUpFirstLine(reason: string): readonly (CsvRow | BadRow)[] {
    const [first, ...others] = open;
    open = [];
    openBytes = 0;
    if (first === undefined) return [];
    return [{ line: first.number, reason }, ...others.flatMap(push)];
  }

  function push(line: Line): readonly (CsvRow | BadRow)[] {
    const { bytes, number } = line;
    if (bytes === undefined) {
      const tooLong = { line: number, reason: `the line is longer than ${LINE_BYTES_MAX} bytes` };
      return [...giveUpFirstLine('a quote is not closed'), tooLong];
    }
    const [first] = open;
    if (first === undefined) {
      if (bytes === '') return [];
      if (!bytes.includes('"')) return [rowOf(number, bytes.split(delimiter))];
    }
    open.push(line);
    openBytes += bytes.length + endOf(line).length;
    if (open.length > ROW_LINES_MAX || openBytes > LINE_BYTES_MAX) {
      return giveUpFirstLine('a quote is not closed');
    }
    // A line without a quote closes nothing.
    if (first !== undefined && !bytes.includes('"')) return [];
    return readOpen();
  }

  function readOpen(): readonly (CsvRow | BadRow)[] {
    const [first] = open;
    const cells = splitQuoted(textOf(open), delimiter);
    if (cells === 'open' || first === undefined) return [];
    if (cells === 'stray') return giveUpFirstLine('a closing quote is followed by more text');
    open = [];
    openBytes = 0;
    return [rowOf(first.number, cells)];
  }

  function end(): readonly (CsvRow | BadRow)[] {
    const rows: (CsvRow | BadRow)[] = [];
    while (open.length > 0) rows.push(...giveUpFirstLine('a quote is not closed'));
    return rows;
  }

  return { push, end };
}

const endOf = ({ isCrlf }: Line): string => (isCrlf === true ? '\r\n' : '\n');

/** Lines with the ends that they have in the file between them. */
function textOf(lines: readonly Line[]): string {
  const last = lines.length - 1;
  return lines.map((line, index) => (line.bytes ?? '') + (index === last ? '' : endOf(line))).join('');
}

/** Cells of a row; `open` when the last quoted one is not closed, `stray` when text follows a closing quote. */
function splitQuoted(text: string, delimiter: string): readonly string[] | 'open' | 'stray' {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      const cell = readQuoted(text, at + 1);
      if (cell === undefined) return 'open';
      cells.push(cell.value);
      at = cell.end;
      if (at >= text.length) return cells;
      if (text[at] !== delimiter) return 'stray';
    } else {
      const end = text.indexOf(delimiter, at);
      if (end === -1) return [...cells, text.slice(at)];
      cells.push(text.slice(at, end));
      at = end;
    }
    at += delimiter.length;
  }
}

/** A quoted cell from after its opening quote; `end` is after its closing one. Two quotes mean one. */
function readQuoted(text: string, from: number): { value: string; end: number } | undefined {
  for (let quote = text.indexOf('"', from); quote !== -1; quote = text.indexOf('"', quote + 2)) {
    if (text[quote + 1] !== '"') {
      return { value: text.slice(from, quote).replaceAll('""', '"'), end: quote + 1 };
    }
  }
  return undefined;
}

function rowOf(line: number, cells: readonly string[]): CsvRow | BadRow {
  const texts: string[] = [];
  for (const cell of cells) {
    const text = decodeBytes(cell);
    if (text === undefined) return { line, reason: `cell ${texts.length + 1} is not UTF-8` };
    texts.push(text);
  }
  return { line, cells: texts };
}
