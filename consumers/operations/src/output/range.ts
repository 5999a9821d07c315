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
