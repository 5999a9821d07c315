import { TARGET_HELP, TARGETS, type TargetName } from '@twinstream/runtime';
import { Command, CommanderError, Option } from 'commander';
import { SEED_MAX } from '../fleet/draws.ts';
import { DEFAULT_KIND_MIX } from '../fleet/kind-mix.ts';
import {
  DEFAULT_DELAY_MS_MAX,
  DEFAULT_DEVICES,
  DEFAULT_PERIOD_MS,
  SEEDED_START_TIME_MS,
} from './run-plan.ts';
import { shippedScenarios } from './scenario-file.ts';

/** Flags that are no settings of a run: they do not stand in a scenario. */
export interface OutputFlags {
  readonly output: 'text' | 'json';
  /** False when a terminal shall have no live line either. */
  readonly progress: boolean;
  readonly ledger?: string;
  readonly scenario?: string;
  readonly target?: TargetName;
}

export interface Flags extends OutputFlags {
  /** Settings as they were written, by name. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** What the command line asks for when it asks for no run: help, or it is wrong. */
export interface NoRun {
  readonly exitCode: number;
}

const EXAMPLES = `
Durations are 500ms, 60s, 5m, 2h, 7d or ISO 8601 such as PT2H. Percentages are of events, but --clock-skew, which is of devices.

Examples:
  npm run simulate -- --devices 1000 --rate 200 --duration 5m
  npm run simulate -- --devices 500 --rate 20000 --duration 60s --aggregate --seed 7 --ledger sent.ndjson
  npm run simulate -- --devices 200 --duplicates 2 --out-of-order 1 --late 1 --drop 0.5 --malformed 0.1
  npm run simulate -- --input day.csv.gz --id-column vehicle_id --time-column timestamp --order time --speed 60
  npm run simulate -- --scenario flaky-network --devices 50

The stream is that of the pipeline that npm start runs here or in a folder above (.twinstream/local.env), or what endpoints
of this machine in the environment say (AWS_ENDPOINT_URL_KINESIS, …). A stream on AWS is written to with --target aws alone.

Ctrl-C sends nothing more, waits for what is on its way and prints the summary; a second one stops at once.

Exit codes:
  0  every event that was sent has been acknowledged (rows that could be no events are reported and counted)
  1  an event could not be delivered, or the stream could not be reached
  2  the command line, the scenario or the input is wrong (no row of it is an event, too), or AWS would be written to without
     --target aws; nothing was sent
`;

function buildCommand(): Command {
  const kinds = Object.entries(DEFAULT_KIND_MIX).map(([name, weight]) => `${name}=${weight}`);
  const seededStart = new Date(SEEDED_START_TIME_MS).toISOString();
  return new Command('npm run simulate --')
    .description(
      'Puts the events of simulated or recorded devices into a stream, and says truthfully what became of them.',
    )
    .allowExcessArguments(false)
    .optionsGroup('Simulated fleet:')
    .option('--devices <count>', `devices, up to 10,000,000 (default: ${DEFAULT_DEVICES})`)
    .option('--device-prefix <text>', 'begins the name of every device (default: nothing)')
    .option('--kinds <mix>', `kinds and their weights (default: ${kinds.join(',')})`)
    .option(
      '--seed <number>',
      `0 to ${SEED_MAX}; the same seed gives the same events (default: drawn, and named in the summary)`,
    )
    .option(
      '--start-time <time>',
      `the devices' time at the start, or now (default: ${seededStart} with --seed, else now)`,
    )
    .option(
      '--skew <skew>',
      'even: each device reports at the same period; zipf:S: rank k weighs 1/k^S (default: even)',
    )
    .option('--outage-every <duration>', 'mean time between outages of a device, or never (default: 2h)')
    .option('--outage-lasts <duration>', 'mean length of an outage (default: 3m)')
    .option('--reboot-every <duration>', 'mean time between reboots of a device, or never (default: 12h)')
    .option(
      '--firmware-every <duration>',
      'mean time between firmware updates of a device, or never (default: 3d)',
    )
    .optionsGroup('Recorded devices:')
    .option(
      '--input <file>',
      'CSV with a header, or NDJSON of objects or device events; gzip too; - for standard input',
    )
    .option('--id-column <name>', 'column of the device id')
    .option('--time-column <name>', 'column of the time')
    .option('--type-column <name>', 'column of the event type (default: every event is reported)')
    .option(
      '--session-column <name>',
      'column of the session, with --counter-column, where devices count by themselves',
    )
    .option('--counter-column <name>', 'column of the counter')
    .option(
      '--order <order>',
      'time: sorted, in memory, equal times as in the file; file: as in the file (default: file)',
    )
    .option('--speed <factor>', 'times as fast as recorded, or max (default: max)')
    .option(
      '--utc-offset <offset>',
      'offset of times that name none, such as -05:00 (default: such rows are rejected)',
    )
    .optionsGroup('Load:')
    .option(
      '--rate <events>',
      `events per second, or max (default: each device every ${DEFAULT_PERIOD_MS / 1_000} s)`,
    )
    .option('--duration <duration>', 'end after this time (default: at the end of the input, or at Ctrl-C)')
    .option('--count <events>', 'end after so many events')
    .option('--ramp <duration>', 'rise evenly from 0 to the rate over this time')
    .option(
      '--burst <burst>',
      'FACTOR:LENGTH:EVERY, 5:10s:1m is five times the rate for 10 s of every minute',
    )
    .option(
      '--max-delay <duration>',
      `drop what could not be sent so long after it was due, or never (default: ${DEFAULT_DELAY_MS_MAX / 1_000}s; never with --input)`,
    )
    .option(
      '--session <number>',
      'first session of each device, or that of rows without one (default: the start time in seconds)',
    )
    .optionsGroup('Faults:')
    .option('--duplicates <percent>', 'sent a second time, up to 7 events later')
    .option('--out-of-order <percent>', 'sent after the next event of the device')
    .option('--late <percent>', 'sent after 2 to 16 later events of the device')
    .option('--drop <percent>', 'never sent: a gap')
    .option('--malformed <percent>', 'damaged, so that no decoder takes them')
    .option('--clock-skew <percent>', 'devices whose clock is off by a second to a day')
    .optionsGroup('Delivery:')
    .addOption(new Option('--target <place>', TARGET_HELP).choices(TARGETS))
    .option('--stream <name>', 'the stream (default: TWINSTREAM_STREAM, else device-events)')
    .option('--aggregate', 'pack events into aggregated records (KPL format): more events per shard')
    .option(
      '--linger <duration>',
      'how long an event waits at most for company in its request (default: 50ms)',
    )
    .option('--deadline <duration>', 'give an event up so long after it was handed over (default: 5m)')
    .optionsGroup('Output:')
    .addOption(
      new Option('--output <format>', 'summary on standard output').choices(['text', 'json']).default('text'),
    )
    .option('--no-progress', 'no live line, on a terminal either')
    .option('--ledger <file>', 'write what became of each event, one JSON object a line')
    .option(
      '--scenario <name|file>',
      `settings from YAML or JSON; flags go before. Ready: ${shippedScenarios().join(', ')}`,
    )
    .addHelpText('after', EXAMPLES)
    .exitOverride();
}

/** Reads the command line. Help goes to `out`, what is wrong to `err`. */
export function readFlags(
  argv: readonly string[],
  out: (text: string) => void,
  err: (text: string) => void,
): Flags | NoRun {
  const command = buildCommand().configureOutput({ writeOut: out, writeErr: err });
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { exitCode: error.exitCode === 0 ? 0 : 2 };
  }
  const { output, progress, ledger, scenario, target, ...given } = command.opts();
  return { output, progress, ledger, scenario, target, given };
}
