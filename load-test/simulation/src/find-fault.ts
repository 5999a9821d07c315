import { importWithFault, SEEDED_FAULT_SEEDS_MAX, type SeededFault } from './seed-fault.ts';
import { simulate as simulateAsIs } from './simulate.ts';

const SIMULATE = new URL('./simulate.ts', import.meta.url);

/** What found a seeded fault. */
export interface FoundFault {
  readonly seed: number;
  /** Seeds that were simulated, this one included. */
  readonly count: number;
  readonly violation: Error;
}

/** The seeds from 1 on within which a fault must be found. */
export function* seedsOf({ seedsMax = SEEDED_FAULT_SEEDS_MAX }: SeededFault): Generator<number> {
  for (let seed = 1; seed <= seedsMax; seed += 1) yield seed;
}

/**
 * Simulates with a fault until a seed violates a guarantee. Rejects when the fault cannot be seeded, and where the seed violates one without
 * the fault, too: then the fault was not what was found.
 */
export async function findFault(
  fault: SeededFault,
  seeds: Iterable<number>,
): Promise<FoundFault | undefined> {
  const { simulate } = await importWithFault<typeof import('./simulate.ts')>(fault, SIMULATE);
  let count = 0;
  for (const seed of seeds) {
    count += 1;
    const { violation } = await simulate(seed);
    if (violation === undefined) continue;
    const asIs = await simulateAsIs(seed);
    if (asIs.violation !== undefined) {
      throw new Error(`seed ${seed} violates a guarantee without a fault, too`, { cause: asIs.violation });
    }
    return { seed, count, violation };
  }
  return undefined;
}
