import { againCommand } from '../again.ts';
import { type Exploration, explore } from './explore.ts';
import { type ReplayedSchedule, replaySchedule } from './replay-schedule.ts';
import type { SmallWorld } from './small-world.ts';
import { SMALL_WORLDS } from './small-worlds.ts';

export interface ExhaustiveOptions {
  /** Name of the only world to try. Default: all. */
  readonly world?: string;
  /** The only schedule to run, by its choices. Default: all. */
  readonly choices?: readonly number[];
  /** The bug that is planted. */
  readonly plant?: string;
}

const EXIT_VIOLATED = 1;
const EXIT_WRONG_USAGE = 2;

/** Tries all schedules of small worlds until one violates a guarantee, and says what it came to. Returns the exit code. */
export async function runExhaustive({ world: name, choices, plant }: ExhaustiveOptions): Promise<number> {
  const worlds = SMALL_WORLDS.filter((world) => name === undefined || world.name === name);
  const [first] = worlds;
  if (first === undefined || (choices !== undefined && name === undefined)) {
    process.stderr.write(
      `--world must name one of these:\n${SMALL_WORLDS.map((world) => `  ${world.name}\n`).join('')}`,
    );
    return EXIT_WRONG_USAGE;
  }
  if (choices !== undefined) return await runAgain(first, choices);
  const start = performance.now();
  let schedules = 0n;
  let runs = 0;
  for (const world of worlds) {
    const worldStart = performance.now();
    const found = await explore(world);
    if (found.violation !== undefined) {
      const { error, choices: again } = found.violation;
      process.stdout.write(`violated in "${world.name}", run ${found.runs}: ${error.message}\n`);
      const list = again.length === 0 ? '0' : again.join(',');
      const rest = ['--exhaustive', '--world', world.name, '--choices', list];
      process.stderr.write(`again: ${againCommand({ plant, rest })}\n`);
      return EXIT_VIOLATED;
    }
    schedules += found.schedules;
    runs += found.runs;
    process.stdout.write(`${world.name.padEnd(32)} ${summary(found)}, ${secondsSince(worldStart)} s\n`);
  }
  process.stdout.write(
    `${worlds.length} worlds, ${schedules} schedules, ${runs} runs: 0 violations, ${secondsSince(start)} s\n`,
  );
  return 0;
}

function summary({ schedules, runs, choicePoints, depthMax, ends }: Exploration): string {
  return [
    `${schedules} schedules`,
    `${runs} runs`,
    `${choicePoints} choice points`,
    `${depthMax} steps at most`,
    `different ends: ${ends.size}`,
  ].join(', ');
}

const secondsSince = (start: number) => ((performance.now() - start) / 1_000).toFixed(1);

async function runAgain(world: SmallWorld, choices: readonly number[]): Promise<number> {
  let replayed: ReplayedSchedule;
  try {
    replayed = await replaySchedule(world, choices);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`no such schedule: ${error.message}\n`);
    return EXIT_WRONG_USAGE;
  }
  const { steps, violation } = replayed;
  for (const [index, step] of steps.entries()) process.stdout.write(`${index + 1}. ${step}\n`);
  process.stdout.write(
    violation === undefined ? 'nothing was violated\n' : `violated: ${violation.message}\n`,
  );
  return violation === undefined ? 0 : EXIT_VIOLATED;
}
