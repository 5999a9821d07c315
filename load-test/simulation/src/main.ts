import {
  commandHost,
  EXIT_CODES,
  type ExitCode,
  endWithReader,
  exitCodeHelp,
  internalFailure,
  parseCommandLine,
  wholeNumber,
} from '@twinstream/command-line';
import { Command } from 'commander';
import { type FoundFault, findFault, seedsOf } from './find-fault.ts';
import { reproduceCommand } from './reproduce-command.ts';
import { importWithFault, type SeededFault } from './seed-fault.ts';
import { SEEDED_FAULTS } from './seeded-faults.ts';

interface Options {
  readonly seeds: number;
  readonly seed?: number;
  readonly seededFaults?: true;
  readonly seededFault?: string;
  readonly exhaustive?: true;
  readonly model?: string;
  readonly choices?: readonly number[];
}

const host = commandHost(process);
const seedNumber = wholeNumber(0, Number.MAX_SAFE_INTEGER);

function readOptions(): Options | ExitCode {
  const program = new Command('npm run simulation --')
    .description(
      'Simulates the pipeline once per seed, injects faults into every request, and checks every guarantee after every step.',
    )
    .option(
      '--seeds <count>',
      'number of seeds to run (default: 1000, or 1 with --seed)',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--seed <seed>', 'first seed; without --seeds, the only one', seedNumber)
    .option('--seeded-faults', 'seed each known fault in turn and show how many seeds it takes to find it')
    .option('--seeded-fault <name>', 'seed this fault')
    .option(
      '--exhaustive',
      'explore all schedules of small models instead: three events, two workers, one fault',
    )
    .option('--model <name>', 'with --exhaustive: only this small model')
    .option(
      '--choices <list>',
      'with --exhaustive and --model: only the schedule with these choices',
      (text) => text.split(',').map(seedNumber),
    )
    .addHelpText(
      'after',
      `
Examples:
  npm run simulation -- --seeds 100000
  npm run simulation -- --seed 1835
  npm run simulation -- --seeded-faults
  npm run simulation -- --exhaustive

${exitCodeHelp({
  success: 'nothing was violated; with --seeded-faults: all faults were found',
  failed: 'a guarantee was violated; with --seeded-faults: a fault was not found',
  outputClosed: 'the reader of the output has closed it',
})}`,
    );
  const ended = parseCommandLine(program, host);
  if (ended !== undefined) return ended;
  const options = program.opts<Options>();
  return { ...options, seeds: options.seeds ?? (options.seed === undefined ? 1_000 : 1) };
}

/** Runs seeds until one violates a guarantee. */
async function runSeeds(
  { seeds, seed: first = 1, seededFault }: Options,
  { simulate }: typeof import('./simulate.ts'),
): Promise<ExitCode> {
  const injected = new Map<string, number>();
  const start = performance.now();
  let storedCount = 0;
  let turnCount = 0;
  for (let seed = first; seed < first + seeds; seed += 1) {
    const result = await simulate(seed);
    storedCount += result.storedCount;
    turnCount += result.turns;
    for (const [kind, times] of result.injected) injected.set(kind, (injected.get(kind) ?? 0) + times);
    if (result.violation === undefined) continue;
    const { violation } = result;
    host.stdout.write(`${violatedAt({ seed, count: seed - first + 1, violation })}\n`);
    host.stderr.write(`${violation.stack}\n${JSON.stringify(result.scenario)}\n`);
    const again = reproduceCommand({ seededFault, rest: ['--seed', String(seed)] });
    host.stderr.write(`again: ${again}\n`);
    return EXIT_CODES.failed;
  }
  const seconds = (performance.now() - start) / 1_000;
  for (const [kind, times] of [...injected].sort()) host.stdout.write(`${kind.padEnd(36)} ${times}\n`);
  const rate = (seeds / seconds).toFixed(0);
  host.stdout.write(
    `${seeds} seeds, ${storedCount} events stored, ${turnCount} turns: 0 violations, ${rate} seeds/s\n`,
  );
  return EXIT_CODES.success;
}

/** Seeds each fault and reports what found it. */
async function runSeededFaults(): Promise<ExitCode> {
  let missed = 0;
  for (const fault of SEEDED_FAULTS) {
    const found = await findFault(fault, seedsOf(fault));
    if (found === undefined) missed += 1;
    const outcome = found === undefined ? 'NOT FOUND' : violatedAt(found);
    host.stdout.write(`${fault.name.padEnd(64)} ${outcome}\n`);
  }
  host.stdout.write(`${SEEDED_FAULTS.length - missed} of ${SEEDED_FAULTS.length} seeded faults found\n`);
  return missed === 0 ? EXIT_CODES.success : EXIT_CODES.failed;
}

function violatedAt({ seed, count, violation }: FoundFault): string {
  return `violated at seed ${seed} (number ${count}): ${violation.message}`;
}

/** A module of the simulation, with the fault where one is seeded. */
function load<Module>(
  path: string,
  fault: SeededFault | undefined,
  faultless: () => Promise<Module>,
): Promise<Module> {
  return fault === undefined ? faultless() : importWithFault(fault, new URL(path, import.meta.url));
}

async function main(): Promise<ExitCode> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  if (options.seededFaults) return await runSeededFaults();
  const fault = SEEDED_FAULTS.find(({ name }) => name === options.seededFault);
  if (options.seededFault !== undefined && fault === undefined) {
    host.stderr.write(
      `unknown seeded fault: ${options.seededFault}\n${SEEDED_FAULTS.map(({ name }) => `  ${name}\n`).join('')}`,
    );
    return EXIT_CODES.usage;
  }
  if (options.exhaustive) {
    const { runExhaustive } = await load('./exhaustive/run-exhaustive.ts', fault, async () => {
      const { runExhaustive } = await import('./exhaustive/run-exhaustive.ts');
      return { runExhaustive };
    });
    return await runExhaustive(options);
  }
  return await runSeeds(options, await load('./simulate.ts', fault, () => import('./simulate.ts')));
}

// Seeds are looked at one by one: without a reader there is nothing left to do.
endWithReader(host, process);
process.exitCode = await main().catch((error: unknown) => internalFailure(error, host));
