export interface Column {
  readonly title: string;
  /** Default: left. */
  readonly align?: 'left' | 'right';
  /** Characters of a cell on a terminal. Default: all. */
  readonly charactersMax?: number;
}

export interface TableOptions {
  /** True cuts cells to their column's `charactersMax`, with an ellipsis; in a file or a pipe they are whole. */
  readonly isTerminal: boolean;
}

/** Rows under their titles, columns as wide as they must be, two spaces between. Takes any number of rows. */
export function tableText(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { isTerminal }: TableOptions = { isTerminal: false },
): string {
  const cellOf = (row: readonly string[], index: number) => {
    const { charactersMax } = columns[index] ?? {};
    const text = row[index] ?? '';
    return isTerminal && charactersMax !== undefined ? cutText(text, charactersMax) : text;
  };
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title) => title.length);
  for (const row of rows) {
    for (const index of columns.keys()) {
      widths[index] = Math.max(widths[index] ?? 0, cellOf(row, index).length);
    }
  }
  const line = (row: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const [cell, width] = [cellOf(row, index), widths[index] ?? 0];
        return align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return `${[line(titles), ...rows.map(line)].join('\n')}\n`;
}

/** At most that many characters, the last an ellipsis where some are left out. Parts no pair of surrogates. */
export function cutText(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  return `${text.slice(0, Math.max(0, charactersMax - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}
