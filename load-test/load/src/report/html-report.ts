import { figureText, whole } from '@twinstream/command-line';
import { FIGURE_NAMES, FIGURES } from '../figures.ts';
import type { LoadResult, ProcessFigures, SubjectResult } from '../load-result.ts';
import { escapeHtml, plot } from './plot.ts';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 800px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; } small { font-weight: 400; opacity: .75; }
svg path { fill: none; stroke-width: 1.6; } svg text { font-size: 11px; fill: currentColor; }
.grid { stroke: currentColor; opacity: .15; } .mark { stroke: #dc2626; stroke-width: 1.4; opacity: .6; stroke-dasharray: 3 3; }
.legend { list-style: none; padding: 0; margin: .2rem 0 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.legend svg { width: 24px; height: 8px; margin-right: .4rem; }
.bad { color: #dc2626; font-weight: 700; } .good { color: #15803d; font-weight: 700; }
`;

/** A self-contained page: it loads nothing and runs nothing. */
export function htmlReport(result: LoadResult): string {
  const { load, machine, subjects } = result;
  const title = `Load test: ${load.scenario}, ${whole(load.rate)} events/s`;
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="${result.passed ? 'good">passed' : 'bad">FAILED'}</p>`,
    paragraph(
      `${load.devices} devices for ${load.durationMs / 1_000} s, ${load.shards} shards${load.aggregate ? ', aggregated records' : ''}, ${load.dynamodb}, seed ${load.seed}.`,
    ),
    paragraph(
      `${result.date}. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}; load average before the run ${machine.loadBefore}.`,
    ),
    verdictsTable(result),
    searchTables(result),
    figuresTable(subjects),
    ...subjects.map(subjectSection),
  ];
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>${body.join('\n')}</body></html>\n`;
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

interface Cell {
  readonly text: string;
  readonly isNumber?: boolean;
  readonly isBad?: boolean;
}

function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const cell =
    (tag: 'th' | 'td') =>
    ({ text, isNumber, isBad }: Cell) =>
      `<${tag} class="${[isNumber ? 'number' : '', isBad ? 'bad' : ''].join(' ').trim()}">${escapeHtml(text)}</${tag}>`;
  const body = rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`).join('');
  return `<table><thead><tr>${head.map(cell('th')).join('')}</tr></thead><tbody>${body}</tbody></table>`;
}

function verdictsTable({ verdicts }: LoadResult): string {
  if (verdicts.length === 0) return '';
  return table(
    [{ text: 'bar' }, { text: 'measured', isNumber: true }, { text: '' }],
    verdicts.map(({ text, value, met }) => [
      { text },
      { text: figureText(value), isNumber: true },
      met ? { text: 'met' } : { text: 'MISSED', isBad: true },
    ]),
  );
}

function searchTables({ searches = [] }: LoadResult): string {
  return searches
    .map(
      ({ subject, highestRate, trials }) =>
        `<h2>Highest rate that holds, ${escapeHtml(subject)}: ${figureText(highestRate)} events/s</h2>` +
        table(
          [{ text: 'events/s', isNumber: true }, { text: 'p99 ms', isNumber: true }, { text: '' }],
          trials.map(({ rate, held, why, p99Ms }) => [
            { text: figureText(rate), isNumber: true },
            { text: figureText(p99Ms), isNumber: true },
            held ? { text: 'holds' } : { text: why, isBad: true },
          ]),
        ),
    )
    .join('');
}

function figuresTable(subjects: readonly SubjectResult[]): string {
  return table(
    [
      { text: 'figure' },
      ...subjects.map(({ subject }) => ({ text: subject, isNumber: true })),
      { text: 'unit' },
      { text: 'meaning' },
    ],
    FIGURE_NAMES.map((name) => [
      { text: name },
      ...subjects.map(({ figures }) => ({ text: figureText(figures[name]), isNumber: true })),
      { text: FIGURES[name].unit },
      { text: FIGURES[name].meaning },
    ]),
  );
}

function subjectSection({ subject, ledger, processes, series, notes }: SubjectResult): string {
  const { marks } = series;
  const { sent, stored, archived, duplicates, malformed, violationCount, violations } = ledger;
  return [
    `<h2>${escapeHtml(subject)}</h2>`,
    paragraph(
      `Ledger: ${sent} events sent, ${stored} stored, ${archived ?? 'not'} archived, ${duplicates} duplicates, ${malformed} damaged.`,
    ),
    `<p class="${violationCount === 0 ? 'good">no promise broken' : `bad">${violationCount} promises broken`}</p>`,
    violations.length === 0
      ? ''
      : table(
          [{ text: 'violation' }, { text: 'of what' }],
          violations.map(({ kind, subject: what }) => [{ text: kind, isBad: true }, { text: what }]),
        ),
    plot({ title: 'Throughput', unit: 'events/s', lines: series.throughput, marks }),
    plot({
      title: 'From intended send to readable state',
      unit: 'ms, by time due',
      lines: series.latency,
      marks,
    }),
    plot({ title: 'Lag by shard', unit: 'ms', lines: series.lag, marks }),
    processes.length === 0
      ? ''
      : plot({ title: 'Resident memory', unit: 'MiB', lines: series.memory, marks }),
    processes.length === 0 ? '' : plot({ title: 'Processor', unit: 'cores', lines: series.cpu, marks }),
    marks.length === 0
      ? ''
      : `<p>Dashed red lines: ${escapeHtml(marks.map(({ seconds, what }) => `${seconds.toFixed(1)} s ${what}`).join('; '))}.</p>`,
    processes.length === 0 ? '' : processesTable(processes),
    notes.length === 0 ? '' : `<ul>${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`,
  ].join('\n');
}

function processesTable(processes: readonly ProcessFigures[]): string {
  return table(
    [
      { text: 'process' },
      { text: 'cores', isNumber: true },
      { text: 'CPU s', isNumber: true },
      { text: 'MiB at most', isNumber: true },
      { text: 'MiB per minute', isNumber: true },
    ],
    processes.map((process) => [
      { text: process.name },
      { text: process.cpuShare.toFixed(2), isNumber: true },
      { text: process.cpuSeconds.toFixed(1), isNumber: true },
      { text: process.memoryMaxMiB.toFixed(0), isNumber: true },
      { text: figureText(process.memorySlopeMiBPerMinute), isNumber: true },
    ]),
  );
}
