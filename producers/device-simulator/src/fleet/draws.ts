/** Numbers that depend on the seed and on where they are asked for, and on nothing else. */
export interface Draws {
  /** Starts the sequence that belongs to these two numbers: the same pair produces the same draws, in whatever order pairs are asked for. */
  startAt(subject: number, step: number): void;
  /** The next draw, uniform from [0, 1), in steps of 2^-32. */
  next(): number;
  /** Uniform from [min, max). */
  between(min: number, max: number): number;
  /** A whole number from 0 to `count` - 1. */
  below(count: number): number;
  /** About 0, at most `width` away, near 0 more often than far: the mean of three uniform draws. */
  around(width: number): number;
  chance(probability: number): boolean;
}

/** Seeds that can be given: 0 to 2^53 - 1. */
export const SEED_MAX = Number.MAX_SAFE_INTEGER;

const GOLDEN_GAMMA = 0x9e3779b9;

/** The 32-bit finalizer of MurmurHash3 (Austin Appleby, 2011, public domain): every bit in changes about half of the bits out. */
function mixed(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Draws of one seed. `stream` keeps users of the same seed apart: two of them with different numbers share nothing.
 * SplitMix's step (Steele, Lea and Flood, OOPSLA 2014) in 32 bits, started from a hash of where it is asked.
 */
export function seededDraws(seed: number, stream: number): Draws {
  const low = mixed(seed >>> 0);
  const high = mixed(Math.floor(seed / 2 ** 32) ^ 0x5bd1e995 ^ Math.imul(stream, GOLDEN_GAMMA));
  const base = mixed(low ^ high) ^ mixed(high + GOLDEN_GAMMA);
  let state = base;
  const next = (): number => {
    state = (state + GOLDEN_GAMMA) | 0;
    return mixed(state) / 2 ** 32;
  };
  return {
    startAt(subject, step) {
      state = mixed(mixed(base ^ subject) + Math.imul(step, 0x27d4eb2f));
    },
    next,
    between: (min, max) => min + (max - min) * next(),
    below: (count) => Math.floor(next() * count),
    around: (width) => ((next() + next() + next()) / 1.5 - 1) * width,
    chance: (probability) => next() < probability,
  };
}
