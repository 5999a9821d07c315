import { duration, durationOption, exitCodeHelp, outputOption, wholeNumber } from '@twinstream/command-line';
import { PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { TARGETS } from '@twinstream/runtime';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Expectation, FIGURES, parseExpectation } from './figures.ts';
import { SCENARIO_NAMES, SCENARIOS } from './scenarios.ts';

export const DYNAMODB_ENGINES = ['dynalite', 'java'] as const;

const RATE_MAX = 200_000;
const DEVICES_MAX = 1_000_000;
export const SHARDS_MAX = 64;
const DURATION_MS_MIN = 1_000;
const WINDOW_MS = PROJECT_MAPPING_SETTINGS.batchingWindowMs;
const DURATION_MS_MAX = 24 * 3_600_000;
const SEED_MAX = Number.MAX_SAFE_INTEGER;

function expectation(text: string, before: readonly Expectation[] = []): readonly Expectation[] {
  try {
    return [...before, parseExpectation(text)];
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** A flag that takes a duration of a run and has a default. */
function timed(flag: string, description: string, minMs: number, defaultMs: number): Option {
  return durationOption(flag, description, { minMs, maxMs: DURATION_MS_MAX, defaultMs });
}

/** The command line, with its help. */
export function loadCommand(): Command {
  return new Command('twinstream load-test')
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
    .option(
      '--soak <duration>',
      'run the scenario soak for this time',
      duration(DURATION_MS_MIN, DURATION_MS_MAX),
    )
    .option(
      '--outage <duration>',
      'with --scenario dynamodb-outage: how long DynamoDB is away (default: half of --duration)',
      duration(DURATION_MS_MIN, DURATION_MS_MAX),
    )
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
      duration(DURATION_MS_MIN, DURATION_MS_MAX),
    )
    .addOption(outputOption())
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
  twinstream load-test --rate 20000 --devices 500 --duration 60s --aggregate --expect 'p99Ms<=3000'
  twinstream load-test --scenario restart --report restart.html
  twinstream load-test --scenario dynamodb-outage --rate 1000 --duration 7m --outage 5m --aggregate
  twinstream load-test --devices 2000 --aggregate --find-rate --baseline --duration 30s
  twinstream load-test --compare before.json after.json
  twinstream load-test --target aws --rate 500 --duration 60s --aggregate --expect 'p99Ms<=5000'

--target aws finds the deployment through the variables and files of the AWS SDK (AWS_REGION, AWS_PROFILE, …) and
TWINSTREAM_STREAM, TWINSTREAM_EVENTS_TABLE, TWINSTREAM_DEVICE_STATE_TABLE, TWINSTREAM_SHARD_PROGRESS_TABLE,
TWINSTREAM_ARCHIVE_BUCKET, and for consumer-outage TWINSTREAM_PROJECTOR_FUNCTION. It costs money, and the events
that it writes stay: their device ids begin with load-. Shards and mappings are restored at the end and after Ctrl-C; a
second Ctrl-C leaves them as they are.

${exitCodeHelp({
  success: 'every guarantee held and every bar was met',
  failed: 'a guarantee was violated, a bar missed, or the run failed',
  refused: 'not confirmed: nothing was sent',
  unavailable: 'the deployment or a service is unreachable',
  interrupted: 'interrupted by Ctrl-C',
})}`,
    );
}
