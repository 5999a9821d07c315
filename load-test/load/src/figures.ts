import { CodedError } from '@twinstream/runtime';

/** Every figure of a run, with its unit and meaning. The names are those that `--expect` takes. */
export const FIGURES = {
  offeredPerSecond: { unit: 'events/s', meaning: 'events that were due, over the duration of the load' },
  acknowledgedPerSecond: {
    unit: 'events/s',
    meaning: 'events that the stream took, over the time from start to last answer',
  },
  projectedPerSecond: {
    unit: 'events/s',
    meaning: 'events that the projector stored, from the start to its last batch',
  },
  archivedPerSecond: {
    unit: 'events/s',
    meaning: 'events that the archiver delivered, from the start to its last batch',
  },
  p50Ms: { unit: 'ms', meaning: 'from intended send to readable state: half of the events were faster' },
  p95Ms: { unit: 'ms', meaning: 'from intended send to readable state: 95 % were faster' },
  p99Ms: { unit: 'ms', meaning: 'from intended send to readable state: 99 % were faster' },
  maxMs: {
    unit: 'ms',
    meaning: 'from intended send to readable state: the slowest event of the sampled devices',
  },
  finishedP99Ms: {
    unit: 'ms',
    meaning: 'from intended send until shard progress has passed the event, over all events: 99 %',
  },
  finishedMaxMs: {
    unit: 'ms',
    meaning: 'from intended send until shard progress has passed the event: the slowest of all',
  },
  ackP99Ms: { unit: 'ms', meaning: 'from intended send to the answer of the stream, over all events: 99 %' },
  lagMaxMs: {
    unit: 'ms',
    meaning: 'largest lag of a shard: age of what was finished last, while more was waiting',
  },
  drainMs: { unit: 'ms', meaning: 'from the end of the load until all of it was finished' },
  eventsPerPage: { unit: 'events', meaning: 'events stored per page' },
  writeUnitsPerEvent: {
    unit: 'write units',
    meaning: 'write units of DynamoDB per event stored, pages and states together',
  },
  cpuSeconds: { unit: 's', meaning: 'processor time of all processes from start of load to drained' },
  cpuMicrosPerEvent: { unit: 'µs', meaning: 'processor time of all processes per event' },
  memoryMaxMiB: { unit: 'MiB', meaning: 'largest resident memory of all processes together' },
  dropped: { unit: 'events', meaning: 'events that the simulator could not send in time' },
  failed: { unit: 'events', meaning: 'events that the stream did not take' },
  duplicates: { unit: 'events', meaning: 'events that reached the stream twice and were stored once' },
  quarantined: { unit: 'events', meaning: 'damaged events, all of them in quarantine' },
  highestRate: {
    unit: 'events/s',
    meaning:
      'highest rate that holds, found by --find-rate: nothing dropped, lost or failed, p99Ms at most 3,000 or as --expect says, drained within 5 s',
  },
  violations: { unit: '', meaning: 'promises that the ledger found broken' },
} as const satisfies Record<string, { readonly unit: string; readonly meaning: string }>;

export type FigureName = keyof typeof FIGURES;
export const FIGURE_NAMES = Object.keys(FIGURES) as readonly FigureName[];

/** Null where a figure could not be measured; the notes of the run say why. */
export type Figures = Readonly<Record<FigureName, number | null>>;

const OPERATORS = {
  '<=': (a: number, b: number) => a <= b,
  '>=': (a: number, b: number) => a >= b,
  '<': (a: number, b: number) => a < b,
  '>': (a: number, b: number) => a > b,
} as const;
type Operator = keyof typeof OPERATORS;

/** A bar that a figure is held to, as in `p99Ms<2000`. */
export interface Expectation {
  readonly text: string;
  readonly figure: FigureName;
  readonly operator: Operator;
  readonly bar: number;
}

export interface Verdict {
  readonly text: string;
  /** Null where the figure was not measured, which does not meet any bar. */
  readonly value: number | null;
  readonly met: boolean;
}

const EXPECTATION = /^\s*([A-Za-z0-9]+)\s*(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*$/;

/** Throws `INVALID_USAGE` unless the text compares a figure with a number. */
export function parseExpectation(text: string): Expectation {
  const [, name, operator, bar] = EXPECTATION.exec(text) ?? [];
  const figure = FIGURE_NAMES.find((known) => known === name);
  if (operator === undefined || bar === undefined) {
    throw new CodedError('INVALID_USAGE', `--expect ${text}: write a figure, <, <=, > or >=, and a number`);
  }
  if (figure === undefined) {
    throw new CodedError('INVALID_USAGE', `--expect ${text}: the figures are ${FIGURE_NAMES.join(', ')}`);
  }
  return { text: text.trim(), figure, operator: operator as Operator, bar: Number(bar) };
}

export function judge({ text, figure, operator, bar }: Expectation, figures: Figures): Verdict {
  const value = figures[figure];
  return { text, value, met: value !== null && OPERATORS[operator](value, bar) };
}
