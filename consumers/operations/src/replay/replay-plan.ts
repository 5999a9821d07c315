import type { ReplayPart } from './replay-spec.ts';

/** A number that is known to lie between two others; equal where it was counted. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export function exactly(value: number): Range {
  return { min: value, max: value };
}

export function isExact({ min, max }: Range): boolean {
  return min === max;
}

export function sumOf(ranges: readonly Range[]): Range {
  let [min, max] = [0, 0];
  for (const range of ranges) {
    min += range.min;
    max += range.max;
  }
  return { min, max };
}

/** `45,396`, or `2,030 to 61,000` where it was not counted. */
export function rangeText({ min, max }: Range, textOf: (value: number) => string): string {
  const [low, high] = [textOf(min), textOf(max)];
  return low === high ? low : `${low} to ${high}`;
}

/** What a replay is going to meet, before anything is written: counted, or between two bounds. */
export interface ReplayPlan {
  readonly parts: readonly PartPlan[];
  readonly events: Range;
  readonly bytes: Range;
  /** True where all events were counted. */
  readonly isExact: boolean;
  readonly durationMs: Range;
  /** What the duration holds besides reading and writing. */
  readonly durationBasis: string;
  readonly readUnits: Range;
  readonly writeUnits: Range;
  readonly dollars: Range;
  readonly changes: readonly string[];
}

export interface PartPlan extends ReplayPart {
  readonly events: Range;
  readonly bytes: Range;
  /** How the events were found. */
  readonly basis: string;
  readonly shards: readonly ShardPlan[];
}

export interface ShardPlan {
  readonly shardId: string;
  /** First place of the window; null where it has none. */
  readonly start: string | null;
  readonly startArrival: string | null;
  readonly events: Range;
}
