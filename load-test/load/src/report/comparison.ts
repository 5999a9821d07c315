import { type Column, figureText, tableText } from '@twinstream/command-line';
import { FIGURE_NAMES, FIGURES, type FigureName } from '../figures.ts';
import type { LoadResult } from '../load-result.ts';

/** One figure in two results. */
export interface Compared {
  readonly subject: string;
  readonly figure: FigureName;
  readonly unit: string;
  readonly before: number | null;
  readonly after: number | null;
  /** After over before; null where that says nothing. */
  readonly ratio: number | null;
}

export interface Comparison {
  readonly rows: readonly Compared[];
  /** In what the two loads or machines differ: figures are then not of the same thing. */
  readonly differs: readonly string[];
}

/** Compares the figures of the subjects that both results have. */
export function compareResults(before: LoadResult, after: LoadResult): Comparison {
  const rows = before.subjects.flatMap(({ subject, figures }) => {
    const other = after.subjects.find((each) => each.subject === subject);
    if (other === undefined) return [];
    return FIGURE_NAMES.map((figure): Compared => {
      const [a, b] = [figures[figure] ?? null, other.figures[figure] ?? null];
      const ratio = a === null || b === null || a === 0 ? null : b / a;
      return { subject, figure, unit: FIGURES[figure].unit, before: a, after: b, ratio };
    });
  });
  return {
    rows,
    differs: [
      ...differences('load', before.load, after.load),
      ...differences('machine', before.machine, after.machine),
    ],
  };
}

function differences<Document extends object>(what: string, before: Document, after: Document): string[] {
  const [a, b] = [Object.entries(before), new Map<string, unknown>(Object.entries(after))];
  return a.flatMap(([name, value]) =>
    name === 'loadBefore' || b.get(name) === value ? [] : [`${what} ${name}: ${value} and ${b.get(name)}`],
  );
}

export function comparisonText({ rows, differs }: Comparison): string {
  const cells = rows.map(({ subject, figure, unit, before, after, ratio }) => [
    subject,
    figure,
    figureText(before),
    figureText(after),
    ratio === null ? '' : `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`,
    unit,
  ]);
  const columns: readonly Column[] = [
    { title: 'subject' },
    { title: 'figure' },
    ...['before', 'after', 'change'].map((title) => ({ title, align: 'right' as const })),
    { title: 'unit' },
  ];
  return [...differs.map((difference) => `not the same: ${difference}\n`), tableText(columns, cells)].join(
    '',
  );
}
