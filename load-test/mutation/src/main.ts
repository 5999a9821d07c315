import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  commandHost,
  EXIT_CODES,
  type ExitCode,
  exitCodeHelp,
  parseCommandLine,
} from '@twinstream/command-line';
import { Argument, Command } from 'commander';
import { readEquivalentMutants } from './equivalent-mutants.ts';
import { instrument, type Mutant } from './mutants.ts';
import type { Progress } from './progress.ts';
import { reportText } from './report.ts';
import { keepOutcomes, keptOutcomes } from './results.ts';
import { isNoticed, type Outcome, score } from './score.ts';
import { tryMutants } from './worker.ts';
import { MUTATED_WORKSPACES } from './workspaces.ts';

const ROOT = join(import.meta.dirname, '../../..');
interface Options {
  readonly static?: true;
  readonly all?: true;
  readonly quick?: true;
  readonly only?: string;
  readonly tests?: string;
}

const host = commandHost(process);
const program = new Command('npm run mutation --')
  .description('Mutates the code of a workspace and names the mutants that its fast tests do not notice.')
  .addArgument(
    new Argument('<workspace>', 'folder of the workspace').choices(Object.keys(MUTATED_WORKSPACES)),
  )
  .option(
    '--all',
    'try all mutants; without it those that were noticed before are kept if their file is unchanged',
  )
  .option('--static', 'try also mutants of code that only runs while modules load, in a process each')
  .option('--quick', 'ask only tests of at most 200 ms, and properties with few runs')
  .option('--only <text>', 'only the files whose path contains this text')
  .option(
    '--tests <text>',
    'ask only the test files whose name contains this text; the score is a lower bound',
  )
  .addHelpText(
    'after',
    `\n${exitCodeHelp({
      success: 'the score is stated',
      failed: 'the score is stated; the list of equivalent mutants has entries that mean no survivor',
    })}`,
  );

process.exitCode =
  parseCommandLine(program, host) ?? (await run(program.args[0] ?? '', program.opts<Options>()));
await host.stdout.flushed();

async function run(
  name: string,
  { all, static: withStatic, quick, only = '', tests = '' }: Options,
): Promise<ExitCode> {
  const workspace = MUTATED_WORKSPACES[name];
  if (workspace === undefined) throw new Error(`${name} is not mutated`);
  const folder = join(ROOT, '.twinstream/mutation', name);
  mkdirSync(folder, { recursive: true });
  const progressFile = join(folder, 'progress.ndjson');
  rmSync(progressFile, { force: true });
  const { mutants, sources } = await instrument(
    ROOT,
    globSync(join(ROOT, workspace.source, '**/*.ts')).sort(),
  );
  const resultFile = join(folder, 'outcomes.json');
  const kept = keptOutcomes(ROOT, resultFile, mutants);
  const isTried = ({ id, file }: Mutant) => {
    const outcome = kept.get(id);
    return file.includes(only) && (all === true || outcome === undefined || !isNoticed(outcome));
  };
  const triedMutants = mutants.filter(isTried);
  const tried = triedMutants.map(({ id }) => id);
  // Files without a mutant to try load as they are; and a process that starts again does not instrument again.
  const triedFiles = new Set(triedMutants.map(({ file }) => join(ROOT, file)));
  const sourcesFile = join(folder, 'sources.json');
  writeFileSync(sourcesFile, JSON.stringify([...sources].filter(([path]) => triedFiles.has(path))));
  const progress = await tryAll(
    { root: ROOT, sourcesFile, tests: workspace.tests, testNames: tests, progressFile, mutants: tried },
    folder,
    {
      isQuick: quick === true,
      withStatic: withStatic === true,
    },
  );
  const isNew = new Set(tried);
  const judged = mutants.map((mutant) => ({
    mutant,
    outcome: isNew.has(mutant.id) ? outcomeOf(mutant, progress) : (kept.get(mutant.id) ?? 'not-covered'),
  }));
  keepOutcomes(ROOT, resultFile, judged);
  const isShown = ({ file }: { readonly file: string }) => file.includes(only);
  const result = score(
    judged.filter(({ mutant }) => isShown(mutant)),
    readEquivalentMutants(name).filter(isShown),
    lineOf,
  );
  host.stdout.write(reportText(name, result, progress.broken));
  return result.stale.length > 0 ? EXIT_CODES.failed : EXIT_CODES.success;
}

async function tryAll(
  order: Omit<Parameters<typeof tryMutants>[0], 'staticMutants' | 'isLast'>,
  folder: string,
  { isQuick, withStatic }: { readonly isQuick: boolean; readonly withStatic: boolean },
): Promise<Progress> {
  const orderFile = join(folder, 'order.json');
  const first = await tryMutants({ ...order, staticMutants: [], isLast: false }, orderFile);
  const progress = isQuick
    ? first
    : await tryMutants({ ...order, staticMutants: [], isLast: true }, orderFile);
  if (!withStatic) return progress;
  const { loaded, covered } = progress;
  const staticMutants = order.mutants.filter((mutant) => loaded.has(mutant) && !covered.has(mutant));
  return tryMutants({ ...order, staticMutants, isLast: true }, orderFile);
}

function outcomeOf({ id }: Mutant, { killed, stalled, covered, loaded, triedStatic }: Progress): Outcome {
  if (killed.has(id)) return 'killed';
  if (stalled.has(id)) return 'timeout';
  return covered.has(id) || triedStatic.has(id) ? 'survived' : loaded.has(id) ? 'not-tried' : 'not-covered';
}

function lineOf({ file, line }: Mutant): string {
  return readFileSync(join(ROOT, file), 'utf8').split('\n')[line - 1] ?? '';
}
