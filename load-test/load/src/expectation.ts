import { CodedError } from '@twinstream/runtime';
import { FIGURE_NAMES, type FigureName, type Figures } from './figures.ts';

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
