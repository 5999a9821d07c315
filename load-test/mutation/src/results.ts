import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from './mutants.ts';
import type { Judged, Outcome } from './score.ts';

interface KeptOutcome {
  readonly key: string;
  readonly outcome: Outcome;
}

/** Tells a mutant from all others across runs as long as its file has the same content. */
function mutantKey(root: string, hashes: Map<string, string>, mutant: Mutant): string {
  const { file, line, column, mutator, code, becomes } = mutant;
  const hash =
    hashes.get(file) ??
    createHash('sha256')
      .update(readFileSync(join(root, file)))
      .digest('hex');
  hashes.set(file, hash);
  return JSON.stringify([hash, file, line, column, mutator, code, becomes]);
}

/** Outcomes of the last run, for the mutants of files that have not changed since. */
export function keptOutcomes(
  root: string,
  file: string,
  mutants: readonly Mutant[],
): ReadonlyMap<string, Outcome> {
  if (!existsSync(file)) return new Map();
  const kept: readonly KeptOutcome[] = JSON.parse(readFileSync(file, 'utf8'));
  const byKey = new Map(kept.map(({ key, outcome }) => [key, outcome]));
  const hashes = new Map<string, string>();
  return new Map(
    mutants.flatMap((mutant) => {
      const outcome = byKey.get(mutantKey(root, hashes, mutant));
      return outcome === undefined ? [] : [[mutant.id, outcome] as const];
    }),
  );
}

export function keepOutcomes(root: string, file: string, judged: readonly Judged[]): void {
  const hashes = new Map<string, string>();
  const kept: readonly KeptOutcome[] = judged.map(({ mutant, outcome }) => ({
    key: mutantKey(root, hashes, mutant),
    outcome,
  }));
  writeFileSync(file, JSON.stringify(kept));
}
