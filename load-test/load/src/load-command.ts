import { PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { parseDurationMs, TARGETS } from '@twinstream/runtime';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Expectation, parseExpectation } from './expectation.ts';
import { FIGURES } from './figures.ts';
import { SCENARIO_NAMES, SCENARIOS } from './scenarios.ts';

export const DYNAMODB_ENGINES = ['dynalite', 'java'] as const;

const RATE_MAX = 200_000;
const DEVICES_MAX = 1_000_000;
const SHARDS_MAX = 64;
const DURATION_MS_MIN = 1_000;
const WINDOW_MS = PROJECT_MAPPING_SETTINGS.batchingWindowMs;
const DURATION_MS_MAX = 24 * 3_600_000;
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

/** A flag that takes a duration and has a default, which help shows as it would be written. */
function timed(flag: string, description: string, minMs: number, defaultMs: number): Option {
  return new Option(`${flag} <duration>`, description)
    .argParser(duration(minMs))
    .default(defaultMs, `${defaultMs / 1_000}s`);
}

/** The command line, with its help. */
export function loadCommand(): Command {
  return new Command('npm run load-test --')
    .description(
      'Offers load to a pipeline that it starts, or to a deployed one, waits until it has drained, and checks and measures the outcome of every event.',
    )
    .argument('[results...]', 'with --compare: two files that --save or --output json wrote')
    .addOption(
      new Option('--scenario <name>', 'what happens during the load')
        .choices(SCENARIO_NAMES)
        .default('steady'),
    )
    .option('--rate <events>', 'target rate in events/s (open loop)', wholeNumber(1, RATE_MAX), 2_000)
    .addOption(timed('--duration', 'length of the load', DURATION_MS_MIN, 30_000))
    .option('--devices <count>', 'number of devices', wholeNumber(1, DEVICES_MAX), 500)
    .option('--aggregate', 'pack events into aggregated records (KPL format)')
    .option(
      '--shards <count>',
      'number of shards (default: computed from the rate)',
      wholeNumber(1, SHARDS_MAX),
    )
    .option('--seed <number>', 'the same seed produces the same events', wholeNumber(0, SEED_MAX), 1)
    .addOption(
      new Option(
        '--target <place>',
        'local: start a pipeline for the test; aws: use the deployed pipeline that the environment names',
      )
        .choices(TARGETS)
        .default('local'),
    )
    .option('--yes', 'with --target aws: do not ask for confirmation')
    .addOption(
      new Option('--dynamodb <engine>', 'embedded DynamoDB').choices(DYNAMODB_ENGINES).default('dynalite'),
    )
    .addOption(
      timed(
        '--window',
        'batching window of the functions; the default is that of the stacks on AWS',
        0,
        WINDOW_MS,
      ),
    )
    .option(
      '--baseline',
      'then run the same load, unaggregated, on the baseline: one put and one update per event; does not affect the exit code',
    )
    .option(
      '--find-rate',
      'search for the highest sustained rate, starting at --rate, with p99Ms<=3000 or the bar of --expect',
    )
    .option('--soak <duration>', 'run the scenario soak for this time', duration(DURATION_MS_MIN))
    .option('--expect <bar>', 'a figure and its bar, such as p99Ms<2000; repeatable', expectation)
    .addOption(
      timed(
        '--warm-up',
        'length of a warm-up at a third of the rate, which is not measured; 0s for none',
        0,
        20_000,
      ),
    )
    .addOption(timed('--drain-deadline', 'maximum time to process what was sent', DURATION_MS_MIN, 120_000))
    .option(
      '--archive-deadline <duration>',
      'further maximum time until the archive is complete (default: 2m, or 15m with --target aws)',
      duration(DURATION_MS_MIN),
    )
    .addOption(
      new Option('--output <form>', 'format of standard output').choices(['table', 'json']).default('table'),
    )
    .option('--report <file>', 'write a self-contained HTML report')
    .option('--save <file>', 'write the result as JSON')
    .option('--compare', 'compare two results')
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
  npm run load-test -- --target aws --rate 500 --duration 60s --aggregate --expect 'p99Ms<=5000'

--target aws finds the deployment through the variables and files of the AWS SDK (AWS_REGION, AWS_PROFILE, …) and
TWINSTREAM_STREAM, TWINSTREAM_EVENTS_TABLE, TWINSTREAM_DEVICE_STATE_TABLE, TWINSTREAM_SHARD_PROGRESS_TABLE,
TWINSTREAM_ARCHIVE_BUCKET, and for consumer-outage TWINSTREAM_PROJECTOR_FUNCTION. It costs money, and the events
that it writes stay: their device ids begin with load-. Shards and mappings are restored at the end and after Ctrl-C; a
second Ctrl-C leaves them as they are.

Exit codes: 0 every guarantee held and every bar met, 1 a guarantee violated, a bar missed or a failed run, 2 usage error.`,
    );
}
