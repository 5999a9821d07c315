import { Command, InvalidArgumentError } from 'commander';
import { simulate } from './simulate.ts';

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** `npm run simulation`: many seeds, or one that failed. */
async function main(): Promise<number> {
  const program = new Command('npm run simulation --')
    .description(
      'Runs the pipeline against simulated faults, one world per seed, and checks every guarantee.',
    )
    .option('--seeds <count>', 'worlds to run', wholeNumber, 1_000)
    .option('--seed <seed>', 'the first seed; alone, just this one', wholeNumber)
    .addHelpText('after', '\nExit codes: 0 nothing was violated, 1 a seed failed, 2 wrong usage.');
  program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2)).parse();
  const options = program.opts<{ seeds: number; seed?: number }>();
  const first = options.seed ?? 1;
  const count =
    options.seed !== undefined && program.getOptionValueSource('seeds') === 'default' ? 1 : options.seeds;
  const injected = new Map<string, number>();
  const start = performance.now();
  let storedCount = 0;
  let turnCount = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await simulate(seed);
    storedCount += result.storedCount;
    turnCount += result.turns;
    for (const [kind, times] of result.injected) injected.set(kind, (injected.get(kind) ?? 0) + times);
    if (result.violation !== undefined) {
      process.stdout.write(`seed ${seed} failed: ${result.violation.stack ?? result.violation.message}\n`);
      process.stdout.write(
        `${JSON.stringify(result.scenario)}\nagain: npm run simulation -- --seed ${seed}\n`,
      );
      return 1;
    }
  }
  const seconds = (performance.now() - start) / 1_000;
  for (const [kind, times] of [...injected].sort()) process.stdout.write(`${kind.padEnd(36)} ${times}\n`);
  process.stdout.write(
    `${count} seeds, ${storedCount} events stored, ${turnCount} turns, 0 violations, ${(count / seconds).toFixed(0)} seeds/s\n`,
  );
  return 0;
}

process.exitCode = await main();
