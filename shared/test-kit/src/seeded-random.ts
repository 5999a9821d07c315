/** Draws that depend on a seed alone. */
export interface Random {
  /** From [0, 1). */
  next(): number;
  /** A whole number from 0 to `below` - 1. */
  integer(below: number): number;
  chance(probability: number): boolean;
  /** One of these; throws RangeError when there are none. */
  pick<Item>(items: readonly Item[]): Item;
}

/**
 * Source: sfc32 of Chris Doty-Humphrey's PractRand, seeded by twelve rounds after setting the state, as its author
 * advises.
 */
export function seededRandom(seed: number): Random {
  let a = 0;
  let b = seed | 0;
  let c = Math.floor(seed / 2 ** 32) | 0;
  let counter = 1;
  const draw = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round += 1) draw();
  const next = () => draw() / 2 ** 32;
  const integer = (below: number) => Math.floor(next() * below);
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return items[integer(items.length)] as (typeof items)[number];
    },
  };
}
