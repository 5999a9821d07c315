import { expect, test } from 'vitest';
import { cutText, tableText } from '../src/table.ts';

const COLUMNS = [{ title: 'device' }, { title: 'data', charactersMax: 10 }];

test('takes more rows than a call takes arguments', () => {
  const rows = Array.from({ length: 200_000 }, (_, index) => [`bus-${index}`, 'x']);
  const text = tableText(COLUMNS, rows);
  expect(text.split('\n')).toHaveLength(200_002);
  expect(text).toContain('bus-199999  x\n');
});

test('cuts a cell on a terminal with an ellipsis, and never in a file or a pipe', () => {
  const rows = [['bus-1', '0123456789abcdef']];
  expect(tableText(COLUMNS, rows, { isTerminal: true })).toBe('device  data\nbus-1   012345678…\n');
  expect(tableText(COLUMNS, rows)).toBe('device  data\nbus-1   0123456789abcdef\n');
});

test('shows what fits without an ellipsis, and parts no character', () => {
  expect(cutText('0123456789', 10)).toBe('0123456789');
  expect(cutText('01234567\u{1f68c}9', 10)).toBe('01234567…');
});
