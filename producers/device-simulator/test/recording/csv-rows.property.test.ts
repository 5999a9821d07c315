import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CsvRow, csvReader, ROW_LINES_MAX } from '../../src/recording/csv-rows.ts';
import type { BadRow } from '../../src/recording/row.ts';

function read(text: string, delimiter = ','): readonly (CsvRow | BadRow)[] {
  const reader = csvReader(delimiter);
  const lines = Buffer.from(text).toString('latin1').split('\n');
  return [...lines.flatMap((bytes, index) => reader.push({ number: index + 1, bytes })), ...reader.end()];
}

const cellsOf = (rows: readonly (CsvRow | BadRow)[]) =>
  rows.map((row) => ('cells' in row ? row.cells : row.line));

describe('rows of CSV', () => {
  test('come back as they were written, quoted or not', () => {
    const cells = fc
      .oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('', 'a,b', 'say "no"', 'two\nlines', '""', ' padded ', 'ü"ö'),
      )
      .map((cell) => cell.replace(/\r/g, ''));
    const rows = fc.array(fc.array(cells, { minLength: 2, maxLength: 5 }), { maxLength: 20 });
    fc.assert(
      fc.property(rows, fc.constantFrom(',', ';', '\t'), (written, delimiter) => {
        const quote = (cell: string) =>
          /["\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
        const text = written.map((row) => row.map(quote).join(delimiter)).join('\n');
        expect(cellsOf(read(text, delimiter))).toEqual(written);
      }),
    );
  });

  test('know the line they begin on, also behind rows of several lines', () => {
    const rows = read('a,b\n1,"two\nlines"\n\n3,4');
    expect(rows).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1', 'two\nlines'] },
      { line: 5, cells: ['3', '4'] },
    ]);
  });

  test('may hold quotes inside of cells that are not quoted', () => {
    expect(cellsOf(read('1,5\'10" tall,x"y"z'))).toEqual([['1', '5\'10" tall', 'x"y"z']]);
  });
});

describe('a row that cannot be read', () => {
  test('because text follows a closing quote costs its line only', () => {
    const rows = read('1,"a"b\n2,c\n');
    expect(rows).toEqual([
      { line: 1, reason: 'a closing quote is followed by more text' },
      { line: 2, cells: ['2', 'c'] },
    ]);
  });

  test('because a quote is never closed costs its line only', () => {
    const rows = read('1,a\n2,"b\n3,c\n4,d');
    expect(rows).toEqual([
      { line: 1, cells: ['1', 'a'] },
      { line: 2, reason: 'a quote is not closed' },
      { line: 3, cells: ['3', 'c'] },
      { line: 4, cells: ['4', 'd'] },
    ]);
  });

  test('because a quote is closed by that of a later row costs its line only', () => {
    const rows = read('1,"a\n2,"b"\n3,c');
    expect(rows).toEqual([
      { line: 1, reason: 'a closing quote is followed by more text' },
      { line: 2, cells: ['2', 'b'] },
      { line: 3, cells: ['3', 'c'] },
    ]);
  });

  test('behind an open quote is not waited for longer than so many lines', () => {
    const reader = csvReader(',');
    const rows = ['x,"y', ...new Array(ROW_LINES_MAX).fill('1,2')].flatMap((bytes, index) =>
      reader.push({ number: index + 1, bytes }),
    );
    expect(rows).toHaveLength(ROW_LINES_MAX + 1);
    expect(rows[0]).toEqual({ line: 1, reason: 'a quote is not closed' });
    expect(rows.slice(1).every((row) => 'cells' in row)).toBe(true);
  });

  test('because a line is too long is named, and so is an open quote before it', () => {
    const reader = csvReader(',');
    const rows = [
      ...reader.push({ number: 1, bytes: '1,"x' }),
      ...reader.push({ number: 2, bytes: undefined }),
    ];
    expect(rows).toMatchObject([{ line: 1, reason: 'a quote is not closed' }, { line: 2 }]);
  });

  test('because it is not UTF-8 says which cell', () => {
    const reader = csvReader(',');
    expect(reader.push({ number: 3, bytes: 'a,\u00ff\u00fe' })).toEqual([
      { line: 3, reason: 'cell 2 is not UTF-8' },
    ]);
  });

  test('never makes a good line around it vanish, wherever quotes are strewn', () => {
    const lines = fc.array(fc.constantFrom('1,2', '3,"4"', '5,"6', '7",8', '"9"x,0', '"",""', 'a,"b""c"'), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(lines, (given) => {
        const rows = read([...given, '3,"4"', '1,2'].join('\n'));
        const numbers = rows.map(({ line }) => line);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        // The last line has no quote to be swallowed by twice: it is read, or belongs to a row that spans lines.
        expect(rows.at(-1)?.line ?? 0).toBeGreaterThan(0);
        const spanned = rows.flatMap((row) => ('cells' in row ? row.cells.join('').split('\n').length : 1));
        expect(spanned.reduce((sum, count) => sum + count, 0)).toBe(given.length + 2);
      }),
    );
  });
});
