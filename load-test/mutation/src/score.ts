import { type EquivalentMutant, isMeant } from './equivalent-mutants.ts';
import type { Mutant } from './mutants.ts';

/** `timeout`: the test hung or the process died with it, which the tests notice, too. */
export type Outcome = 'killed' | 'timeout' | 'survived' | 'not-covered';

export interface Judged {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
}

export interface Score {
  readonly mutantCount: number;
  readonly noticedCount: number;
  readonly equivalentCount: number;
  /** Noticed mutants of those that are not equivalent, in percent; 100 where there are none. */
  readonly percent: number;
  readonly survivors: readonly Judged[];
  /** Entries of the list that mean no mutant that survived. */
  readonly stale: readonly EquivalentMutant[];
}

export const isNoticed = (outcome: Outcome): boolean => outcome === 'killed' || outcome === 'timeout';

/** Equivalent mutants leave the count only where they survived. */
export function score(
  judged: readonly Judged[],
  equivalents: readonly EquivalentMutant[],
  lineOf: (mutant: Mutant) => string,
): Score {
  const alive = judged.filter(({ outcome }) => !isNoticed(outcome));
  const meant = new Set<EquivalentMutant>();
  const survivors = alive.filter(({ mutant }) => {
    const entries = equivalents.filter((entry) => isMeant(entry, mutant, lineOf(mutant)));
    for (const entry of entries) meant.add(entry);
    return entries.length === 0;
  });
  const noticedCount = judged.length - alive.length;
  const countedCount = noticedCount + survivors.length;
  return {
    mutantCount: judged.length,
    noticedCount,
    equivalentCount: alive.length - survivors.length,
    percent: countedCount === 0 ? 100 : (100 * noticedCount) / countedCount,
    survivors,
    stale: equivalents.filter((entry) => !meant.has(entry)),
  };
}
