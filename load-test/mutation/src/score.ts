import { type EquivalentMutant, isMeant } from './equivalent-mutants.ts';
import type { Mutant } from './mutants.ts';

/** `timeout`: the test hung or the process died with it, which the tests notice, too. `not-tried`: executed only while modules load. */
export type Outcome = 'killed' | 'timeout' | 'survived' | 'not-covered' | 'not-tried';

export interface Judged {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
}

export interface Score {
  readonly mutantCount: number;
  readonly noticedCount: number;
  readonly equivalentCount: number;
  /** Not part of the percentage. */
  readonly notTriedCount: number;
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
  const alive = judged.filter(({ outcome }) => !isNoticed(outcome) && outcome !== 'not-tried');
  const noticedCount = judged.filter(({ outcome }) => isNoticed(outcome)).length;
  const meant = new Set<EquivalentMutant>();
  const survivors = alive.filter(({ mutant }) => {
    const entries = equivalents.filter((entry) => isMeant(entry, mutant, lineOf(mutant)));
    for (const entry of entries) meant.add(entry);
    return entries.length === 0;
  });
  const countedCount = noticedCount + survivors.length;
  return {
    mutantCount: judged.length,
    noticedCount,
    equivalentCount: alive.length - survivors.length,
    notTriedCount: judged.length - alive.length - noticedCount,
    percent: countedCount === 0 ? 100 : (100 * noticedCount) / countedCount,
    survivors,
    stale: equivalents.filter((entry) => !meant.has(entry)),
  };
}
