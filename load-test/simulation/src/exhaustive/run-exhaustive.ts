import { EXIT_CODES, type ExitCode } from '@twinstream/command-line';
import { reproduceCommand } from '../reproduce-command.ts';
import { type Exploration, explore } from './explore.ts';
import { type ReplayedSchedule, replaySchedule } from './replay-schedule.ts';
import type { SmallModel } from './small-model.ts';
import { SMALL_MODELS } from './small-models.ts';

export interface ExhaustiveOptions {
  /** Name of the only model to try. Default: all. */
  readonly model?: string;
  /** The only schedule to run, by its choices. Default: all. */
  readonly choices?: readonly number[];
  /** The fault that is seeded. */
  readonly seededFault?: string;
}

/** Tries all schedules of small models until one violates a guarantee, and says what it came to. Returns the exit code. */
export async function runExhaustive({
  model: name,
  choices,
  seededFault,
}: ExhaustiveOptions): Promise<ExitCode> {
  const models = SMALL_MODELS.filter((model) => name === undefined || model.name === name);
  const [first] = models;
  if (first === undefined || (choices !== undefined && name === undefined)) {
    process.stderr.write(
      `--model must name one of these:\n${SMALL_MODELS.map((model) => `  ${model.name}\n`).join('')}`,
    );
    return EXIT_CODES.usage;
  }
  if (choices !== undefined) return await runAgain(first, choices);
  const start = performance.now();
  let schedules = 0n;
  let runs = 0;
  for (const model of models) {
    const modelStart = performance.now();
    const found = await explore(model);
    if (found.violation !== undefined) {
      const { error, choices: again } = found.violation;
      process.stdout.write(`violated in "${model.name}", run ${found.runs}: ${error.message}\n`);
      const list = again.length === 0 ? '0' : again.join(',');
      const rest = ['--exhaustive', '--model', model.name, '--choices', list];
      process.stderr.write(`again: ${reproduceCommand({ seededFault, rest })}\n`);
      return EXIT_CODES.failed;
    }
    schedules += found.schedules;
    runs += found.runs;
    process.stdout.write(`${model.name.padEnd(32)} ${summary(found)}, ${secondsSince(modelStart)} s\n`);
  }
  process.stdout.write(
    `${models.length} models, ${schedules} schedules, ${runs} runs: 0 violations, ${secondsSince(start)} s\n`,
  );
  return EXIT_CODES.success;
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

async function runAgain(model: SmallModel, choices: readonly number[]): Promise<ExitCode> {
  let replayed: ReplayedSchedule;
  try {
    replayed = await replaySchedule(model, choices);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`no such schedule: ${error.message}\n`);
    return EXIT_CODES.usage;
  }
  const { steps, violation } = replayed;
  for (const [index, step] of steps.entries()) process.stdout.write(`${index + 1}. ${step}\n`);
  process.stdout.write(
    violation === undefined ? 'nothing was violated\n' : `violated: ${violation.message}\n`,
  );
  return violation === undefined ? EXIT_CODES.success : EXIT_CODES.failed;
}
