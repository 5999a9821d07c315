import { appendFileSync } from 'node:fs';
import type { Vitest } from 'vitest/node';
import { type Entry, LOADING } from './progress.ts';
import type { WorkerOrder } from './worker-order.ts';

/** The instrumented code takes the active mutant from here while it is loaded. */
const ACTIVE_MUTANT = '__STRYKER_ACTIVE_MUTANT__';

/**
 * Tries mutants of code that runs once, while its module is loaded: constants, tables, schemas. No switch reaches them later, so
 * that each has a process with the mutant active from its start, until the first test fails.
 */
export async function tryStaticMutants(vitest: Vitest, order: WorkerOrder): Promise<void> {
  const write = (entry: Entry) => appendFileSync(order.progressFile, `${JSON.stringify(entry)}\n`);
  for (const mutant of order.staticMutants) {
    write({ kind: 'trying', test: LOADING, mutant });
    process.env[ACTIVE_MUTANT] = mutant;
    const files = await vitest.globTestSpecifications();
    const { testModules } = await vitest.runTestSpecifications(files);
    const failed = testModules.find((module) => !module.ok());
    if (failed === undefined) write({ kind: 'survived', test: LOADING, mutant });
    else write({ kind: 'killed', test: LOADING, mutant, error: failed.relativeModuleId });
  }
}
