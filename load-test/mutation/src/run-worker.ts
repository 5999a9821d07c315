import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, createVitest, type TestSpecification } from 'vitest/node';
import { readProgress } from './progress.ts';
import { tryStaticMutants } from './static-mutants.ts';
import { EXIT_UNFINISHED, readOrder } from './worker-order.ts';
import { SLOW_TESTS } from './workspaces.ts';

/** Timers of tests are the parent's to watch: what takes long on a busy machine does not hang. */
const TEST_TIMEOUT_MS = 120_000;
const FEW_RUNS = join(import.meta.dirname, 'few-runs.ts');

/** Cheap tests first: they kill most mutants, so that few are left for the properties. */
class CheapTestsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const cost = ({ moduleId }: TestSpecification) =>
      statSync(moduleId).size + (moduleId.endsWith('.property.test.ts') ? Number.MAX_SAFE_INTEGER / 2 : 0);
    return files.toSorted((a, b) => cost(a) - cost(b));
  }
}

const order = readOrder();
const sources = new Map<string, string>(JSON.parse(readFileSync(order.sourcesFile, 'utf8')));
const isStatic = order.staticMutants.length > 0;

const vitest = await createVitest(
  'test',
  {
    root: order.root,
    config: false,
    watch: false,
    include: order.tests.map((folder) => `${folder}/**/*${order.testNames}*.test.ts`),
    exclude: ['**/node_modules/**', ...SLOW_TESTS],
    ...(isStatic ? {} : { runner: join(import.meta.dirname, 'mutating-runner.ts') }),
    isolate: false,
    // It knows files by their content, and not by the numbers of their mutants.
    fsModuleCache: false,
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: TEST_TIMEOUT_MS,
    dangerouslyIgnoreUnhandledErrors: true,
    bail: isStatic ? 1 : 0,
    silent: true,
    reporters: [{}],
    sequence: { sequencer: CheapTestsFirst },
    env: { NODE_ENV: 'test' },
  },
  {
    plugins: [
      {
        name: 'mutants',
        enforce: 'pre',
        resolveId: (id, importer) => (id === 'fast-check' && importer !== FEW_RUNS ? FEW_RUNS : undefined),
        load: (id) => sources.get(id.split('?')[0] ?? id),
      },
    ],
  },
);
if (isStatic) await tryStaticMutants(vitest, order);
else await vitest.start();
await vitest.close();
// Failing tests are what this process is for; a test process that died with a mutant is not.
process.exitCode = readProgress(order.progressFile).trying === undefined ? 0 : EXIT_UNFINISHED;
