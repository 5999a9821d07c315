import { type CapacityFigure, type CapacityPlan, readable } from '@twinstream/capacity';
import { tableText } from '@twinstream/command-line';

/** A plan as JSON says it: stable, for scripts. Figures stand under their keys. */
export function capacityDocument(plan: CapacityPlan, latencyBudgetSeconds: number | undefined) {
  const others = new Map(plan.baseline.map((figure) => [figure.key, figure]));
  return {
    workload: plan.workload,
    latencyBudgetSeconds: latencyBudgetSeconds ?? null,
    warnings: plan.warnings,
    figures: plan.twinstream.map(({ key, name, unit, value, formula, source }) => {
      const ordinary = others.get(key);
      return {
        key,
        name,
        unit,
        twinstream: { value, formula, source },
        ordinary:
          ordinary === undefined
            ? null
            : { value: ordinary.value, formula: ordinary.formula, source: ordinary.source },
      };
    }),
  };
}

/** Widest line, so that a terminal of ordinary width breaks none. */
const WIDTH = 118;
const INDENT = '  ';

/** A plan as people read it: warnings, both designs beside each other, then how each figure came about. */
export function capacityText(plan: CapacityPlan): string {
  const pairs = pairsOf(plan);
  const table = tableText(
    [
      { title: '', align: 'right' },
      { title: 'figure' },
      { title: 'this design', align: 'right' },
      { title: 'ordinary', align: 'right' },
      { title: 'unit' },
    ],
    pairs.map(({ ours, ordinary }, index) => [
      String(index + 1),
      ours.name,
      readable(ours.value),
      readable(ordinary.value),
      ours.unit,
    ]),
  );
  const warnings = plan.warnings.map(({ text }) => wrapped(`warning: ${text}`, ''));
  const reasons = pairs.flatMap(({ ours, ordinary }, index) => reasonsOf(index + 1, ours, ordinary));
  return [
    workloadText(plan),
    '',
    ...(warnings.length === 0 ? [] : [...warnings, '']),
    table,
    'How each figure came about, and where that is written. Ordinary: one put and one update for each event.',
    '',
    ...reasons,
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
    ? `aggregated by ${readable(workload.producerCount)} producers with a linger of ${readable(lingerSeconds)} s`
    : 'a record each';
  const text = `${readable(deviceCount)} devices, each an event of ${readable(eventBytes)} bytes in ${period} s (${workload.arrivals} arrivals), ${kind}; states of ${readable(stateBytes)} bytes; window ${windowSeconds} s; shards used to ${readable(shardUse * 100)} %.`;
  return wrapped(text, '');
}

interface Pair {
  readonly ours: CapacityFigure;
  readonly ordinary: CapacityFigure;
}

function pairsOf({ twinstream, baseline: ordinary }: CapacityPlan): readonly Pair[] {
  const others = new Map(ordinary.map((figure) => [figure.key, figure]));
  return twinstream.map((ours) => ({ ours, ordinary: others.get(ours.key) ?? ours }));
}

function reasonsOf(number: number, ours: CapacityFigure, ordinary: CapacityFigure): string[] {
  const hasOwnSource = ours.source !== ordinary.source;
  const hasOwnFormula = hasOwnSource || ours.formula !== ordinary.formula;
  const lead = `${String(number).padStart(2)}  `;
  const indent = ' '.repeat(lead.length);
  return [
    wrapped(`${lead}${ours.name} (${ours.unit}) = ${ours.formula}`, indent + INDENT),
    ...(hasOwnFormula ? [wrapped(`${indent}ordinary: ${ordinary.formula}`, indent + INDENT)] : []),
    wrapped(
      `${indent}source: ${ours.source}${hasOwnSource ? `; ordinary: ${ordinary.source}` : ''}`,
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
