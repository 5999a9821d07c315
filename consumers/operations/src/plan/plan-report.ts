import { type CapacityFigure, type CapacityPlan, readable } from '@twinstream/capacity';
import { tableText } from '@twinstream/command-line';

/** Members of a figure in JSON, and titles of columns, by the figures of a plan. */
const DESIGNS = [
  { design: 'twinstream', member: 'twinstream', title: 'this design' },
  { design: 'baseline', member: 'ordinary', title: 'ordinary' },
  { design: 'coalesced', member: 'coalesced', title: 'coalesced' },
] as const;

/** A plan as JSON says it: stable, for scripts. Figures stand under their keys. */
export function capacityDocument(plan: CapacityPlan, latencyBudgetSeconds: number | undefined) {
  return {
    workload: plan.workload,
    latencyBudgetSeconds: latencyBudgetSeconds ?? null,
    warnings: plan.warnings,
    figures: rowsOf(plan).map(({ key, name, unit, figures }) => ({
      key,
      name,
      unit,
      ...Object.fromEntries(
        figures.map(({ member, value, formula, source }) => [member, { value, formula, source }]),
      ),
    })),
  };
}

/** Widest line, so that a terminal of ordinary width breaks none. */
const WIDTH = 118;
const INDENT = '  ';

/** What the two other designs are, and what the difference to them buys. */
const COMPARISON =
  'Ordinary: one put and one update for each event. Coalesced: one write of the state for a device and batch, history in S3 alone. What this design costs more than coalesced states buys a history that is read by device in milliseconds, holds each event once and in order, and from which a state is proved and rebuilt; in S3 it must be scanned, sorted and freed of duplicates first.';

/** A plan as people read it: warnings, the designs beside each other, then how each figure came about. */
export function capacityText(plan: CapacityPlan): string {
  const rows = rowsOf(plan);
  const table = tableText(
    [
      { title: '', align: 'right' },
      { title: 'figure' },
      ...DESIGNS.map(({ title }) => ({ title, align: 'right' as const })),
      { title: 'unit' },
    ],
    rows.map(({ name, unit, figures }, index) => [
      String(index + 1),
      name,
      ...figures.map(({ value }) => readable(value)),
      unit,
    ]),
  );
  const warnings = plan.warnings.map(({ text }) => wrapped(`warning: ${text}`, ''));
  return [
    workloadText(plan),
    '',
    ...(warnings.length === 0 ? [] : [...warnings, '']),
    table,
    wrapped(COMPARISON, ''),
    '',
    'How each figure came about, and where that is written.',
    '',
    ...rows.flatMap((row, index) => reasonsOf(index + 1, row)),
    '',
  ].join('\n');
}

function workloadText({ workload }: CapacityPlan): string {
  const {
    deviceCount,
    eventsPerSecondPerDevice,
    eventBytes,
    stateBytes,
    windowSeconds,
    shardUse,
    lingerSeconds,
  } = workload;
  const period = readable(1 / eventsPerSecondPerDevice);
  const kind = workload.isAggregated
    ? `aggregated by ${several(workload.producerCount, 'producer')} with a linger of ${readable(lingerSeconds)} s`
    : 'a record each';
  const text = `${several(deviceCount, 'device')}, each an event of ${readable(eventBytes)} bytes in ${period} s (${workload.arrivals} arrivals), ${kind}; states of ${readable(stateBytes)} bytes; window ${windowSeconds} s; shards used to ${readable(shardUse * 100)} %.`;
  return wrapped(text, '');
}

function several(count: number, one: string): string {
  return `${readable(count)} ${one}${count === 1 ? '' : 's'}`;
}

type FigureOfDesign = Pick<CapacityFigure, 'value' | 'formula' | 'source'> & Pick<Design, 'member' | 'title'>;
type Design = (typeof DESIGNS)[number];

interface Row extends Pick<CapacityFigure, 'key' | 'name' | 'unit'> {
  /** As {@link DESIGNS}. */
  readonly figures: readonly FigureOfDesign[];
}

/** Every design has every figure. */
function rowsOf(plan: CapacityPlan): readonly Row[] {
  const byKey = DESIGNS.map(({ design, member, title }) => ({
    member,
    title,
    figures: new Map(plan[design].map((figure) => [figure.key, figure])),
  }));
  return plan.twinstream.map((ours) => ({
    key: ours.key,
    name: ours.name,
    unit: ours.unit,
    figures: byKey.map(({ member, title, figures }) => ({
      ...(figures.get(ours.key) ?? ours),
      member,
      title,
    })),
  }));
}

function reasonsOf(number: number, { name, unit, figures: [ours, ...others] }: Row): string[] {
  if (ours === undefined) return [];
  const lead = `${String(number).padStart(2)}  `;
  const indent = ' '.repeat(lead.length);
  const withOwnSource = others.filter(({ source }) => source !== ours.source);
  const withOwnFormula = others.filter(({ formula }) => formula !== ours.formula);
  return [
    wrapped(`${lead}${name} (${unit}) = ${ours.formula}`, indent + INDENT),
    ...withOwnFormula.map(({ title, formula }) => wrapped(`${indent}${title}: ${formula}`, indent + INDENT)),
    wrapped(
      `${indent}source: ${[ours.source, ...withOwnSource.map(({ title, source }) => `${title}: ${source}`)].join('; ')}`,
      indent + INDENT,
    ),
  ];
}

/** Breaks between words; lines after the first begin with `indent`. */
function wrapped(text: string, indent: string): string {
  const lead = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = lead;
  for (const word of text.trimStart().split(' ')) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
