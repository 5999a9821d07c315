import { parseDurationMs } from '@twinstream/runtime';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Expectation, parseExpectation } from './expectation.ts';
import { FIGURES } from './figures.ts';
import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from './scenarios.ts';

export const DYNAMODB_ENGINES = ['dynalite', 'java'] as const;

/** A load to measure. */
export interface LoadOptions {
  readonly kind: 'measure';
  readonly scenario: ScenarioName;
  readonly rate: number;
  readonly durationMs: number;
  readonly deviceCount: number;
  readonly aggregate: boolean;
  /** Absent: as many as the rate needs. */
  readonly shardCount?: number;
  readonly seed: number;
  readonly dynamodb: (typeof DYNAMODB_ENGINES)[number];
  readonly expectations: readonly Expectation[];
  readonly output: 'table' | 'json';
  readonly reportFile?: string;
  readonly saveFile?: string;
  readonly baseline: boolean;
  readonly findRate: boolean;
  readonly drainDeadlineMs: number;
  /** How long a gentle load runs before the one that is measured, so that functions have started; 0 for none. */
  readonly warmUpMs: number;
}

/** Two results to lay side by side. */
export interface CompareOptions {
  readonly kind: 'compare';
  readonly files: readonly [string, string];
  readonly output: 'table' | 'json';
}

const RATE_MAX = 200_000;
const DEVICES_MAX = 1_000_000;
const SHARDS_MAX = 64;
const DURATION_MS_MIN = 1_000;
const DURATION_MS_MAX = 24 * 3_600_000;
/** Scenarios that kill processes. */
const UNSUPERVISED: readonly ScenarioName[] = ['restart', 'soak'];
const SEED_MAX = Number.MAX_SAFE_INTEGER;

function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

function duration(min: number) {
  return (text: string): number => {
    const ms = parsed(text);
    if (ms < min || ms > DURATION_MS_MAX) {
      throw new InvalidArgumentError(`It must be from ${min / 1_000} s to 24 h.`);
    }
    return ms;
  };
}

function parsed(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function expectation(text: string, before: readonly Expectation[] = []): readonly Expectation[] {
  try {
    return [...before, parseExpectation(text)];
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

interface Parsed {
  readonly scenario: ScenarioName;
  readonly rate: number;
  readonly duration: number;
  readonly devices: number;
  readonly aggregate?: true;
  readonly shards?: number;
  readonly seed: number;
  readonly dynamodb: (typeof DYNAMODB_ENGINES)[number];
  readonly expect?: readonly Expectation[];
  readonly output: 'table' | 'json';
  readonly report?: string;
  readonly save?: string;
  readonly baseline?: true;
  readonly findRate?: true;
  readonly soak?: number;
  readonly drainDeadline: number;
  readonly warmUp: number;
  readonly compare?: true;
}

/** The command line. Throws CommanderError where there is nothing to do or something is wrong, after it was printed. */
export function readLoadOptions(argv: readonly string[], output?: Output): LoadOptions | CompareOptions {
  const program = command();
  if (output !== undefined) program.configureOutput({ writeOut: output.out, writeErr: output.err });
  program.exitOverride().parse([...argv], { from: 'user' });
  const given = program.opts<Parsed>();
  if (given.compare === true) {
    const [before, after, ...more] = program.args;
    if (before === undefined || after === undefined || more.length > 0) {
      return program.error('error: --compare takes two files of results');
    }
    return { kind: 'compare', files: [before, after], output: given.output };
  }
  if (given.baseline === true && UNSUPERVISED.includes(given.soak === undefined ? given.scenario : 'soak')) {
    program.error(
      `error: --baseline goes without ${UNSUPERVISED.join(' and ')}: nobody starts its processes again`,
    );
  }
  if (program.args.length > 0) program.error(`error: nothing is known of '${program.args[0]}'`);
  const { shards, report, save } = given;
  return {
    kind: 'measure',
    scenario: given.soak === undefined ? given.scenario : 'soak',
    rate: given.rate,
    durationMs: given.soak ?? given.duration,
    deviceCount: given.devices,
    aggregate: given.aggregate === true,
    seed: given.seed,
    dynamodb: given.dynamodb,
    expectations: given.expect ?? [],
    output: given.output,
    baseline: given.baseline === true,
    findRate: given.findRate === true,
    drainDeadlineMs: given.drainDeadline,
    warmUpMs: given.warmUp,
    ...(shards === undefined ? {} : { shardCount: shards }),
    ...(report === undefined ? {} : { reportFile: report }),
    ...(save === undefined ? {} : { saveFile: save }),
  };
}

/** Where help and errors go. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

function command(): Command {
  return new Command('npm run load-test --')
    .description(
      'Offers load to a pipeline of its own, lets it drain, and checks and measures what became of every event.',
    )
    .argument('[results...]', 'with --compare: two files that --save or --output json wrote')
    .addOption(
      new Option('--scenario <name>', 'what happens meanwhile').choices(SCENARIO_NAMES).default('steady'),
    )
    .option('--rate <events>', 'events per second that are due', wholeNumber(1, RATE_MAX), 2_000)
    .option('--duration <duration>', 'how long', duration(DURATION_MS_MIN), 30_000)
    .option('--devices <count>', 'devices of the fleet', wholeNumber(1, DEVICES_MAX), 500)
    .option('--aggregate', 'pack events into aggregated records (KPL format)')
    .option(
      '--shards <count>',
      'shards of the stream (default: what the rate needs)',
      wholeNumber(1, SHARDS_MAX),
    )
    .option('--seed <number>', 'the same seed gives the same events', wholeNumber(0, SEED_MAX), 1)
    .addOption(new Option('--target <place>', 'where it runs').choices(['local']).default('local'))
    .addOption(
      new Option('--dynamodb <engine>', 'embedded DynamoDB').choices(DYNAMODB_ENGINES).default('dynalite'),
    )
    .option(
      '--baseline',
      'then the same load on the ordinary design, unaggregated: a handler that puts and updates event by event; it decides nothing about the exit code',
    )
    .option('--find-rate', 'search the highest rate that holds, starting at --rate')
    .option('--soak <duration>', 'the scenario soak for so long', duration(DURATION_MS_MIN))
    .option('--expect <bar>', 'a figure and its bar, as in p99Ms<2000; may be given again', expectation)
    .option(
      '--warm-up <duration>',
      'a gentle load before the one that is measured; 0s for none',
      duration(0),
      3_000,
    )
    .option(
      '--drain-deadline <duration>',
      'how long what was sent may take to be finished',
      duration(DURATION_MS_MIN),
      120_000,
    )
    .addOption(
      new Option('--output <form>', 'form of standard output').choices(['table', 'json']).default('table'),
    )
    .option('--report <file>', 'write a page with plots, whole in itself')
    .option('--save <file>', 'write the result as JSON')
    .option('--compare', 'lay two results side by side')
    .addHelpText(
      'after',
      `
Scenarios:
${SCENARIO_NAMES.map((name) => `  ${name.padEnd(17)}${SCENARIOS[name].purpose}`).join('\n')}

Figures of --expect:
${Object.entries(FIGURES)
  .map(([name, { meaning }]) => `  ${name.padEnd(22)}${meaning}`)
  .join('\n')}

Examples:
  npm run load-test -- --rate 20000 --devices 500 --duration 60s --aggregate --expect 'p99Ms<=3000'
  npm run load-test -- --scenario restart --report restart.html
  npm run load-test -- --devices 2000 --aggregate --find-rate --baseline --duration 30s
  npm run load-test -- --compare before.json after.json

Exit codes: 0 every promise kept and every bar met, 1 a promise broken, a bar missed or a run that failed, 2 wrong usage.`,
    );
}
