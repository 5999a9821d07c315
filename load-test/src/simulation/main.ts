import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { OUTPUT_CLOSED_EXIT_CODE, textOutput } from '@twinstream/runtime';
import { Command, InvalidArgumentError } from 'commander';
import { againCommand } from './again.ts';
import { PLANTED_SEEDS_MAX, plant } from './plant.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

interface Options {
  readonly seeds: number;
  readonly seed?: number;
  readonly planted?: true;
  readonly plant?: string;
  readonly exhaustive?: true;
  readonly world?: string;
  readonly choices?: readonly number[];
}

/** What a world with a planted bug ends with when the bug was found. */
const EXIT_FOUND = 1;

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function seedCount(text: string): number {
  const count = wholeNumber(text);
  if (count === 0) throw new InvalidArgumentError('It must be 1 or more: no world shows nothing.');
  return count;
}

function readOptions(): Options {
  const program = new Command('npm run simulation --')
    .description(
      'Runs the pipeline in simulated worlds, one per seed, with faults at every request, and checks every guarantee at every step.',
    )
    .option('--seeds <count>', 'worlds to run (default: 1000, or 1 with --seed)', seedCount)
    .option('--seed <seed>', 'the first seed; alone, just this one', wholeNumber)
    .option('--planted', 'plant each known bug in turn and show how many seeds it takes to find it')
    .option('--plant <name>', 'plant this bug')
    .option('--exhaustive', 'try all schedules of small worlds instead: three events, two workers, one fault')
    .option('--world <name>', 'with --exhaustive: just this small world')
    .option(
      '--choices <list>',
      'with --exhaustive and --world: just the schedule with these choices',
      (text) => text.split(',').map(wholeNumber),
    )
    .addHelpText(
      'after',
      `
Examples:
  npm run simulation -- --seeds 100000
  npm run simulation -- --seed 1835
  npm run simulation -- --planted
  npm run simulation -- --exhaustive

Exit codes: 0 nothing was violated (with --planted: all bugs were found), 1 otherwise, 2 wrong usage.`,
    );
  program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2)).parse();
  const options = program.opts<Options>();
  return { ...options, seeds: options.seeds ?? (options.seed === undefined ? 1_000 : 1) };
}

/** Runs worlds until one violates a guarantee. */
async function runSeeds({ seeds, seed: first = 1, plant: planted }: Options): Promise<number> {
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
    const again = againCommand({ plant: planted, rest: ['--seed', String(seed)] });
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

/** Plants each bug in a process of its own, and reports what found it. */
async function runPlanted(): Promise<number> {
  let missed = 0;
  for (const { name, seedsMax = PLANTED_SEEDS_MAX } of PLANTED_BUGS) {
    const args = [fileURLToPath(import.meta.url), '--plant', name, '--seeds', String(seedsMax)];
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
  process.stdout.write(`${PLANTED_BUGS.length - missed} of ${PLANTED_BUGS.length} planted bugs found\n`);
  return missed === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.planted) return await runPlanted();
  if (options.plant !== undefined) {
    const bug = PLANTED_BUGS.find(({ name }) => name === options.plant);
    if (bug === undefined) {
      process.stderr.write(
        `no such bug: ${options.plant}\n${PLANTED_BUGS.map(({ name }) => `  ${name}\n`).join('')}`,
      );
      return 2;
    }
    plant(bug);
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
