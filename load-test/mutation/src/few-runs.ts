import * as all from 'fast-check';
import { readOrder } from './worker-order.ts';

export * from 'fast-check';

/** Runs of a property for each mutant, first and, for what nothing has noticed by then, last. */
const RUNS_MAX = readOrder().isLast ? 60 : 8;
/** The same cases for every mutant, so that a score can be had again. */
const SEED = 1;

const few = (parameters: all.Parameters<never> = {}): all.Parameters<never> => ({
  ...parameters,
  numRuns: Math.min(parameters.numRuns ?? RUNS_MAX, RUNS_MAX),
  seed: SEED,
  // The first counterexample decides: nobody reads the smallest.
  endOnFailure: true,
});

/** fast-check's `assert` with few runs, from a fixed seed, without shrinking. */
export const assert = ((property: never, parameters?: all.Parameters<never>) =>
  all.assert(property, few(parameters))) as unknown as typeof all.assert;

export default { ...all, assert };
