import { type Column, figureText, tableText, whole } from '@twinstream/command-line';
import { FIGURE_NAMES, FIGURES, type FigureName } from '../figures.ts';
import type { LoadResult, ProcessFigures, SubjectResult } from '../load-result.ts';

/** A result for people at a terminal. */
export function textReport(result: LoadResult): string {
  const { load, machine, subjects, verdicts, searches = [] } = result;
  const lines = [
    `${load.scenario}, ${load.rate} events/s for ${load.durationMs / 1_000} s, ${load.devices} devices, ${load.shards} shards${load.aggregate ? ', aggregated' : ''}, ${load.dynamodb}, seed ${load.seed}`,
    `${result.date}  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}, load before ${machine.loadBefore}`,
    '',
    ...linesOf(
      [
        { title: 'figure' },
        ...subjects.map(({ subject }) => ({ title: subject, align: 'right' as const })),
        { title: 'unit' },
        { title: 'meaning' },
      ],
      FIGURE_NAMES.map((name) => figureRow(name, subjects)),
    ),
  ];
  for (const { subject, highestRate, trials } of searches) {
    lines.push('', `${subject}: highest rate that holds: ${highestRate ?? 'none'} events/s`);
    for (const { rate, held, why } of trials)
      lines.push(`  ${rate} events/s ${held ? 'hold' : `do not: ${why}`}`);
  }
  for (const subject of subjects) lines.push('', ...subjectLines(subject));
  if (verdicts.length > 0) lines.push('');
  for (const { text, value, met } of verdicts) {
    lines.push(
      `${met ? 'met   ' : 'MISSED'}  ${text} (${value === null ? 'not measured' : figureText(value)})`,
    );
  }
  lines.push('', result.passed ? 'passed' : 'FAILED', '');
  return lines.join('\n');
}

function figureRow(name: FigureName, subjects: readonly SubjectResult[]): readonly string[] {
  const { unit, meaning } = FIGURES[name];
  return [name, ...subjects.map(({ figures }) => figureText(figures[name])), unit, meaning];
}

function subjectLines({ subject, ledger, processes, notes }: SubjectResult): readonly string[] {
  const { sent, stored, archived, malformed, violationCount, violations, violationsByKind } = ledger;
  const kinds = Object.entries(violationsByKind).map(([kind, count]) => `${count} ${kind}`);
  return [
    `${subject}: ledger: ${whole(sent)} sent, ${whole(stored)} stored, ${archived === null ? 'no archive' : `${whole(archived)} archived`}, ${whole(malformed)} damaged; ${violationCount === 0 ? 'clean' : `VIOLATIONS: ${kinds.join(', ')}`}`,
    ...violations.slice(0, 10).map(({ kind, subject: what }) => `  ${kind}: ${what}`),
    ...(processes.length === 0 ? [] : processLines(processes)),
    ...notes.map((note) => `  note: ${note}`),
  ];
}

function processLines(processes: readonly ProcessFigures[]): readonly string[] {
  const columns = ['cores', 'CPU s', 'MiB at most', 'MiB/min'];
  return linesOf(
    [{ title: '  process' }, ...columns.map((title) => ({ title, align: 'right' as const }))],
    processes.map((process) => [
      `  ${process.name}`,
      process.cpuShare.toFixed(2),
      process.cpuSeconds.toFixed(1),
      process.memoryMaxMiB.toFixed(0),
      process.memorySlopeMiBPerMinute === null ? '–' : process.memorySlopeMiBPerMinute.toFixed(1),
    ]),
  );
}

function linesOf(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  return tableText(columns, rows).trimEnd().split('\n');
}
