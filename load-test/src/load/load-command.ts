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
      'Offers load to a pipeline of its own, or to one that is deployed, lets it drain, and checks and measures what became of every event.',
    )
    .argument('[results...]', 'with --compare: two files that --save or --output json wrote')
    .addOption(
      new Option('--scenario <name>', 'what happens meanwhile').choices(SCENARIO_NAMES).default('steady'),
    )
    .option('--rate <events>', 'events per second that are due', wholeNumber(1, RATE_MAX), 2_000)
    .addOption(timed('--duration', 'how long', DURATION_MS_MIN, 30_000))
    .option('--devices <count>', 'devices of the fleet', wholeNumber(1, DEVICES_MAX), 500)
    .option('--aggregate', 'pack events into aggregated records (KPL format)')
    .option(
      '--shards <count>',
      'shards of the stream (default: what the rate needs)',
      wholeNumber(1, SHARDS_MAX),
    )
    .option('--seed <number>', 'the same seed gives the same events', wholeNumber(0, SEED_MAX), 1)
    .addOption(
      new Option(
        '--target <place>',
        'local: a pipeline that is started for it; aws: one that is deployed, named by the environment; nothing is started',
      )
        .choices(TARGETS)
        .default('local'),
    )
    .option('--yes', 'with --target aws: ask nobody before events are written')
    .addOption(
      new Option('--dynamodb <engine>', 'embedded DynamoDB').choices(DYNAMODB_ENGINES).default('dynalite'),
    )
    .addOption(
      timed(
        '--window',
        'how long the functions wait for a fuller batch, as the stacks on AWS have it',
        0,
        WINDOW_MS,
      ),
    )
    .option(
      '--baseline',
      'then the same load on the baseline, unaggregated: a handler that puts and updates event by event; it decides nothing about the exit code',
    )
    .option(
      '--find-rate',
      'search the highest rate that holds, starting at --rate: with p99Ms<=3000, or what --expect says of it',
    )
    .option('--soak <duration>', 'the scenario soak for so long', duration(DURATION_MS_MIN))
    .option('--expect <bar>', 'a figure and its bar, as in p99Ms<2000; may be given again', expectation)
    .addOption(
      timed('--warm-up', 'a third of the load before the one that is measured; 0s for none', 0, 20_000),
    )
    .addOption(
      timed('--drain-deadline', 'how long what was sent may take to be finished', DURATION_MS_MIN, 120_000),
    )
    .option(
      '--archive-deadline <duration>',
      'how long the archive may take then to hold all of it (default: 2m, or 15m with --target aws)',
      duration(DURATION_MS_MIN),
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
  npm run load-test -- --target aws --rate 500 --duration 60s --aggregate --expect 'p99Ms<=5000'

--target aws finds the deployment through the AWS SDK's own variables and files (AWS_REGION, AWS_PROFILE, …) and
TWINSTREAM_STREAM, TWINSTREAM_EVENTS_TABLE, TWINSTREAM_DEVICE_STATE_TABLE, TWINSTREAM_SHARD_PROGRESS_TABLE,
TWINSTREAM_ARCHIVE_BUCKET, and for consumer-outage TWINSTREAM_PROJECTOR_FUNCTION. It costs money, and what it writes
stays: events of devices whose names begin with load-. Shards and mappings are put back at the end, at Ctrl-C too; a
second Ctrl-C leaves them as they are.

Exit codes: 0 every promise kept and every bar met, 1 a promise broken, a bar missed or a run that failed, 2 wrong usage.`,
    );
}
