import type { Draws } from './draws.ts';
import { zipfRanks } from './zipf.ts';

/** How much more some devices say than others. */
export type Skew = { readonly kind: 'even' } | { readonly kind: 'zipf'; readonly exponent: number };

/** Says whose turn it is, for ever. Holds a few numbers, whatever the size of the fleet. */
export type TurnOrder = () => number;

const GOLDEN_RATIO_FRACTION = 0.618033988749895;

/**
 * Order in which devices 0 to `deviceCount` - 1 speak. `even`: each once a round, in the same order every round, so
 * that a device reports at a steady period. `zipf`: independent draws in which the device of rank k speaks with weight
 * 1 / k^exponent. Either way neighbours in number are far apart in turn or rank.
 */
export function turnOrder(deviceCount: number, skew: Skew, draws: Draws): TurnOrder {
  draws.startAt(deviceCount, 0);
  const first = draws.below(deviceCount);
  const stride = strideThrough(deviceCount);
  if (skew.kind === 'even') {
    let device = first;
    return () => {
      const turn = device;
      device = (device + stride) % deviceCount;
      return turn;
    };
  }
  const rank = zipfRanks(deviceCount, skew.exponent, draws.next);
  return () => (first + (rank() - 1) * stride) % deviceCount;
}

/** A step that visits every number below `count` before it repeats: near the golden section, without a common divisor. */
function strideThrough(count: number): number {
  let stride = Math.max(1, Math.floor(count * GOLDEN_RATIO_FRACTION));
  while (greatestCommonDivisor(stride, count) !== 1) stride += 1;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
