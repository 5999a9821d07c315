import { existsSync, readFileSync } from 'node:fs';

/** What the worker writes down, one JSON line each, before it goes on: it may hang or die with the next mutant. */
export type Entry =
  /** The process that runs the tests. */
  | { readonly kind: 'started'; readonly pid: number }
  /** What modules execute while they are loaded. */
  | { readonly kind: 'loaded'; readonly mutants: readonly string[] }
  | { readonly kind: 'covered'; readonly test: string; readonly mutants: readonly string[] }
  | { readonly kind: 'broken'; readonly test: string; readonly error: string }
  | { readonly kind: 'trying'; readonly test: string; readonly mutant: string }
  | { readonly kind: 'survived'; readonly test: string; readonly mutant: string }
  | { readonly kind: 'killed'; readonly test: string; readonly mutant: string; readonly error: string }
  /** The test hung or the process died: by {@link Entry} `trying` the parent knows with which mutant. */
  | { readonly kind: 'stalled'; readonly test: string; readonly mutant: string }
  /** The mutant failed the test, but so did the code without it: an earlier mutant left something behind. */
  | { readonly kind: 'doubtful'; readonly test: string; readonly mutant: string }
  /** Takes long: is asked last, about what all others have not noticed. */
  | { readonly kind: 'slow'; readonly test: string }
  | { readonly kind: 'done'; readonly test: string };

/** The name of the test where a mutant is active from the start of a process and all tests are asked. */
export const LOADING = 'loading';

export interface Progress {
  readonly killed: Map<string, string>;
  readonly stalled: Set<string>;
  readonly covered: Set<string>;
  readonly loaded: Set<string>;
  readonly broken: Map<string, string>;
  readonly done: Set<string>;
  readonly slow: Set<string>;
  /** Mutants that were active from the start of a process. */
  readonly triedStatic: Set<string>;
  /** Per test, the mutants that it has been asked about. */
  readonly tried: Map<string, Set<string>>;
  /** The process that runs the tests; the last one where there were several. */
  pid: number | undefined;
  /** What was being tried when the file ended. */
  trying: { readonly test: string; readonly mutant: string } | undefined;
  doubtful: { readonly test: string; readonly mutant: string } | undefined;
}

export function readProgress(file: string): Progress {
  const progress: Progress = {
    killed: new Map(),
    stalled: new Set(),
    covered: new Set(),
    loaded: new Set(),
    broken: new Map(),
    done: new Set(),
    slow: new Set(),
    triedStatic: new Set(),
    tried: new Map(),
    pid: undefined,
    trying: undefined,
    doubtful: undefined,
  };
  if (!existsSync(file)) return progress;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line !== '') apply(progress, JSON.parse(line));
  }
  return progress;
}

function apply(progress: Progress, entry: Entry): void {
  switch (entry.kind) {
    case 'started':
      progress.pid = entry.pid;
      return;
    case 'loaded':
      for (const mutant of entry.mutants) progress.loaded.add(mutant);
      return;
    case 'covered':
      for (const mutant of entry.mutants) progress.covered.add(mutant);
      return;
    case 'broken':
      progress.broken.set(entry.test, entry.error);
      return;
    case 'done':
      progress.done.add(entry.test);
      return;
    case 'slow':
      progress.slow.add(entry.test);
      return;
    case 'trying':
      progress.trying = entry;
      return;
    case 'doubtful':
      progress.doubtful = entry;
      progress.trying = undefined;
      return;
    case 'killed':
      progress.killed.set(entry.mutant, entry.test);
      break;
    case 'stalled':
      progress.stalled.add(entry.mutant);
      break;
    case 'survived':
      break;
  }
  progress.trying = undefined;
  progress.doubtful = undefined;
  if (entry.test === LOADING) progress.triedStatic.add(entry.mutant);
  const tried = progress.tried.get(entry.test) ?? new Set();
  progress.tried.set(entry.test, tried.add(entry.mutant));
}
