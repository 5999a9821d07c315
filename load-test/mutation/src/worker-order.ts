import { readFileSync } from 'node:fs';

/** What the worker is to do. It comes in a file, since vitest starts the process that runs the tests. */
export interface WorkerOrder {
  readonly root: string;
  /** Names the instrumented code of each file whose mutants are tried, by its path. */
  readonly sourcesFile: string;
  readonly tests: readonly string[];
  /** Only test files whose names contain this text are asked; the empty text: all. */
  readonly testNames: string;
  readonly progressFile: string;
  /** Mutants to switch on and off while the tests run; all others count as they did. */
  readonly mutants: readonly string[];
  /** True where all quick tests are done: slow ones are to be asked, and properties with more runs. */
  readonly isLast: boolean;
  /** Where it has entries, only these are tried, each active from the start of a process. */
  readonly staticMutants: readonly string[];
}

/** Exit code of a worker whose test process died while it tried a mutant. */
export const EXIT_UNFINISHED = 3;

const VARIABLE = 'MUTATION_ORDER';

export function orderEnvironment(file: string): Readonly<Record<string, string>> {
  return { [VARIABLE]: file };
}

export function readOrder(): WorkerOrder {
  const file = process.env[VARIABLE];
  if (file === undefined) throw new Error(`${VARIABLE} names no file: run \`npm run mutation\``);
  return JSON.parse(readFileSync(file, 'utf8'));
}
