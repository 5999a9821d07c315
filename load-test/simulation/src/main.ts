import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { OUTPUT_CLOSED_EXIT_CODE, textOutput } from '@twinstream/runtime';
import { Command, InvalidArgumentError } from 'commander';
import { againCommand } from './again.ts';
import { SEEDED_FAULT_SEEDS_MAX, seedFault } from './seed-fault.ts';
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

/** Exit code of a run in which a seeded fault was found. */
const EXIT_FOUND = 1;

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function seedCount(text: string): number {
  const count = wholeNumber(text);
  if (count === 0) throw new InvalidArgumentError('It must be 1 or more: without a run nothing is shown.');
  return count;
}

function readOptions(): Options {
  const program = new Command('npm run simulation --')
    .description(
      'Simulates the pipeline once per seed, injects faults into every request, and checks every guarantee after every step.',
    )
    .option('--seeds <count>', 'number of seeds to run (default: 1000, or 1 with --seed)', seedCount)
    .option('--seed <seed>', 'first seed; without --seeds, the only one', wholeNumber)
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
      (text) => text.split(',').map(wholeNumber),
    )
    .addHelpText(
      'after',
      `
Examples:
  npm run simulation -- --seeds 100000
  npm run simulation -- --seed 1835
  npm run simulation -- --seeded-faults
  npm run simulation -- --exhaustive

Exit codes: 0 nothing was violated (with --seeded-faults: all faults were found), 1 otherwise, 2 wrong usage.`,
    );
  program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2)).parse();
  const options = program.opts<Options>();
  return { ...options, seeds: options.seeds ?? (options.seed === undefined ? 1_000 : 1) };
}

/** Runs seeds until one violates a guarantee. */
async function runSeeds({ seeds, seed: first = 1, seededFault }: Options): Promise<number> {
  const { simulate } = await import('./simulate.ts');
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
    process.stdout.write(
      `violated at seed ${seed} (number ${seed - first + 1}): ${result.violation.message}\n`,
    );
    process.stderr.write(`${result.violation.stack}\n${JSON.stringify(result.scenario)}\n`);
    const again = againCommand({ seededFault, rest: ['--seed', String(seed)] });
    process.stderr.write(`again: ${again}\n`);
    return EXIT_FOUND;
  }
  const seconds = (performance.now() - start) / 1_000;
  for (const [kind, times] of [...injected].sort()) process.stdout.write(`${kind.padEnd(36)} ${times}\n`);
  const rate = (seeds / seconds).toFixed(0);
  process.stdout.write(
    `${seeds} seeds, ${storedCount} events stored, ${turnCount} turns: 0 violations, ${rate} seeds/s\n`,
  );
  return 0;
}

/** Seeds each fault in a process of its own and reports what found it. */
async function runSeededFaults(): Promise<number> {
  let missed = 0;
  for (const { name, seedsMax = SEEDED_FAULT_SEEDS_MAX } of SEEDED_FAULTS) {
    const args = [fileURLToPath(import.meta.url), '--seeded-fault', name, '--seeds', String(seedsMax)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const output: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const [code] = await once(child, 'close');
    const found = output
      .join('')
      .split('\n')
      .find((line) => line.startsWith('violated'));
    if (code !== EXIT_FOUND || found === undefined) missed += 1;
    process.stdout.write(`${name.padEnd(64)} ${found ?? 'NOT FOUND'}\n`);
  }
  process.stdout.write(`${SEEDED_FAULTS.length - missed} of ${SEEDED_FAULTS.length} seeded faults found\n`);
  return missed === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.seededFaults) return await runSeededFaults();
  if (options.seededFault !== undefined) {
    const fault = SEEDED_FAULTS.find(({ name }) => name === options.seededFault);
    if (fault === undefined) {
      process.stderr.write(
        `unknown seeded fault: ${options.seededFault}\n${SEEDED_FAULTS.map(({ name }) => `  ${name}\n`).join('')}`,
      );
      return 2;
    }
    seedFault(fault);
  }
  if (options.exhaustive) {
    const { runExhaustive } = await import('./exhaustive/run-exhaustive.ts');
    return await runExhaustive(options);
  }
  return await runSeeds(options);
}

// Seeds are looked at one by one: without a reader there is nothing left to do.
textOutput(process.stdout).closed.addEventListener('abort', () => process.exit(OUTPUT_CLOSED_EXIT_CODE));
process.exitCode = await main();
