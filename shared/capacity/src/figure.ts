/** One number of a plan, and how it came about. */
export interface CapacityFigure {
  /** Stable, for programs. */
  readonly key: string;
  readonly name: string;
  readonly value: number;
  /** `shards`, `write units/event`, `USD/month`, … */
  readonly unit: string;
  /** In words and numbers of this plan. */
  readonly formula: string;
  /** Where what it rests on is written, with the date of reading, or how it was measured. */
  readonly source: string;
}

export function figure(
  key: string,
  name: string,
  value: number,
  unit: string,
  formula: string,
  source: string,
): CapacityFigure {
  return { key, name, value, unit, formula, source };
}

/** The value of a figure. Throws RangeError for a key that the plan has not. */
export function figureValue(figures: readonly CapacityFigure[], key: string): number {
  const found = figures.find((one) => one.key === key);
  if (found === undefined) throw new RangeError(`a plan has no figure ${key}`);
  return found.value;
}

const DIGITS = 4;

/** A number as people read it: four digits that count. */
export function readable(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(2);
  return Number(value.toPrecision(DIGITS)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}
