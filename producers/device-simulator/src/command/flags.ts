import {
  type CommandHost,
  type ExitCode,
  exitCodeHelp,
  parseCommandLine,
  visible,
  wholeNumber,
} from '@twinstream/command-line';
import { PROFILE_HELP, TARGET_HELP, TARGETS, type TargetName } from '@twinstream/runtime';
import { MIXED_AGGREGATES } from '@twinstream/stream-producer';
import { Command, Option } from 'commander';
import { SEED_MAX } from '../fleet/draws.ts';
import { DEFAULT_KIND_MIX } from '../fleet/kind-mix.ts';
import {
  DEFAULT_DELAY_MS_MAX,
  DEFAULT_DEVICES,
  DEFAULT_PERIOD_MS,
  SEEDED_START_TIME_MS,
} from './run-plan.ts';
import { shippedScenarios } from './scenario-file.ts';

/** Flags that are not settings of a run. A scenario cannot set them. */
export interface OutputFlags {
  readonly output: 'text' | 'json';
  /** False to suppress the live progress line on a terminal. */
  readonly progress: boolean;
  readonly ledger?: string;
  /** Port of 127.0.0.1 for `/metrics`; none by default. */
  readonly metricsPort?: number;
  readonly scenario?: string;
  readonly target?: TargetName;
  readonly profile?: string;
}

export interface Flags extends OutputFlags {
  /** Settings as written on the command line, by name. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** The command line asked for help, or it was invalid: there is nothing to run. */
export interface NoRun {
  readonly exitCode: ExitCode;
}

const EXAMPLES = `
Durations are 500ms, 60s, 5m, 2h, 7d or ISO 8601 such as PT2H. Percentages refer to events;
--clock-skew refers to devices.

Examples:
  twinstream simulate --devices 1000 --rate 200 --duration 5m
  twinstream simulate --devices 500 --rate 20000 --duration 60s --aggregate --seed 7 --ledger sent.ndjson
  twinstream simulate --devices 200 --duplicates 2 --out-of-order 1 --late 1 --drop 0.5 --malformed 0.1
  twinstream simulate --input pumps.ndjson --raw device_id    (twinstream start --mapping pumps.yaml)
  twinstream simulate --input day.csv.gz --id-column vehicle_id --time-column timestamp --order time --speed 60
  twinstream simulate --scenario flaky-network --devices 50

The stream belongs to the pipeline that twinstream start runs in this folder or a folder above (.twinstream/local.env), or to the
local endpoints in the environment (AWS_ENDPOINT_URL_KINESIS, …). Only --target aws writes to a stream on AWS.

Ctrl-C stops sending, waits for requests in flight and prints the summary; a second Ctrl-C stops immediately.

${exitCodeHelp({
  success: 'every event sent was acknowledged (invalid rows are reported and counted)',
  failed: 'an event could not be delivered',
  usage: `the command line, the scenario or the input is invalid (also if no row is a valid event), or the target is AWS and
       --target aws is missing; nothing was sent`,
  unavailable: 'no pipeline was found, or the stream is unreachable or does not exist; nothing was sent',
  interrupted: 'stopped by a second Ctrl-C before the summary',
})}`;

/** The command line, with its help. */
export function simulateProgram(): Command {
  const kinds = Object.entries(DEFAULT_KIND_MIX).map(([name, weight]) => `${name}=${weight}`);
  const seededStart = new Date(SEEDED_START_TIME_MS).toISOString();
  return new Command('twinstream simulate')
    .description(
      'Puts events of simulated or recorded devices into a stream and reports the outcome of each.',
    )
    .allowExcessArguments(false)
    .optionsGroup('Simulated fleet:')
    .option('--devices <count>', `number of devices, up to 10,000,000 (default: ${DEFAULT_DEVICES})`)
    .option('--device-prefix <text>', 'device id prefix (default: none)')
    .option('--kinds <mix>', `device kinds and their weights (default: ${kinds.join(',')})`)
    .option(
      '--seed <number>',
      `0 to ${SEED_MAX}; the same seed produces the same events (default: random; the summary prints it)`,
    )
    .option(
      '--start-time <time>',
      `device time at the start, or now (default: ${seededStart} with --seed, else now)`,
    )
    .option(
      '--skew <skew>',
      'even: all devices report at the same rate; zipf:S: the device of rank k has weight 1/k^S (default: even)',
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
    .option(
      '--raw <member>',
      'put each JSON line as it is, for a payload mapping; partition key: this member, a.b where nested',
    )
    .option('--id-column <name>', 'column of the device id')
    .option('--time-column <name>', 'column of the time')
    .option('--type-column <name>', 'column of the event type (default: every event is reported)')
    .option(
      '--session-column <name>',
      'column of the session, with --counter-column, if devices number their events',
    )
    .option('--counter-column <name>', 'column of the counter')
    .option(
      '--order <order>',
      'time: sorted, in memory, equal times as in the file; file: as in the file (default: file)',
    )
    .option('--speed <factor>', 'times as fast as recorded, or max (default: max)')
    .option(
      '--utc-offset <offset>',
      'UTC offset of times without one, such as -05:00 (default: such rows are rejected)',
    )
    .optionsGroup('Load:')
    .option(
      '--rate <events>',
      `target rate in events/s (open loop), or max (default: each device every ${DEFAULT_PERIOD_MS / 1_000} s)`,
    )
    .option('--duration <duration>', 'end after this time (default: at the end of the input, or at Ctrl-C)')
    .option('--count <events>', 'maximum number of events')
    .option('--ramp <duration>', 'rise linearly from 0 to the rate over this time')
    .option(
      '--burst <burst>',
      'FACTOR:LENGTH:EVERY, 5:10s:1m is five times the rate for 10 s of every minute',
    )
    .option(
      '--max-delay <duration>',
      `drop events that cannot be sent within this time after their due time, or never (default: ${DEFAULT_DELAY_MS_MAX / 1_000}s; never with --input)`,
    )
    .option(
      '--session <number>',
      'first session of each device, or the session of rows without one (default: the start time in seconds)',
    )
    .optionsGroup('Faults:')
    .option('--duplicates <percent>', 'sent a second time, up to 7 events later')
    .option('--out-of-order <percent>', 'sent after the next event of the device')
    .option('--late <percent>', 'sent after 2 to 16 later events of the device')
    .option('--drop <percent>', 'never sent: a gap')
    .option('--malformed <percent>', 'damaged, so that every decoder rejects them')
    .option('--clock-skew <percent>', 'devices whose clock is off by a second to a day')
    .optionsGroup('Delivery:')
    .addOption(new Option('--target <place>', TARGET_HELP).choices(TARGETS))
    .option('--profile <name>', PROFILE_HELP)
    .option('--stream <name>', 'the stream (default: TWINSTREAM_STREAM, else device-events)')
    .option('--aggregate', 'pack events into aggregated records (KPL format): more events per shard')
    .addOption(
      new Option(
        '--mixed-aggregates <treatment>',
        'with --aggregate: send again a part (divide), or all (resend: for readers by the KCL), of an aggregate that a reshard put into a shard that owns only part of it (default: divide)',
      ).choices(MIXED_AGGREGATES),
    )
    .option(
      '--linger <duration>',
      'maximum time an event waits for others before its batch is sent (default: 50ms)',
    )
    .option(
      '--deadline <duration>',
      'maximum time from the put of an event to its acknowledgement (default: 5m)',
    )
    .option(
      '--trace-ratio <ratio>',
      'share of events, 0 to 1, whose way is traced by OTLP; needs OTEL_EXPORTER_OTLP_ENDPOINT (default: 0)',
    )
    .optionsGroup('Output:')
    .addOption(
      new Option('--output <format>', 'summary on standard output').choices(['text', 'json']).default('text'),
    )
    .option('--no-progress', 'suppress the live progress line on a terminal')
    .option(
      '--metrics-port <port>',
      'serve /metrics for Prometheus on this port of 127.0.0.1',
      wholeNumber(1, 65_535),
    )
    .option('--ledger <file>', 'write the outcome of each event, one JSON object per line')
    .option(
      '--scenario <name|file>',
      `settings from YAML or JSON; flags override them. Included: ${shippedScenarios().join(', ')}`,
    )
    .addHelpText('after', EXAMPLES);
}

/** Parses the command line. Writes help and errors; nothing of the latter acts upon the terminal. */
export function readFlags({
  argv,
  stdout,
  stderr,
}: Pick<CommandHost, 'argv' | 'stdout' | 'stderr'>): Flags | NoRun {
  const command = simulateProgram();
  const errors = { ...stderr, write: (text: string) => stderr.write(visible(text)) };
  const exitCode = parseCommandLine(command, { argv, stdout, stderr: errors });
  if (exitCode !== undefined) return { exitCode };
  const { output, progress, ledger, metricsPort, scenario, target, profile, ...given } = command.opts();
  return { output, progress, ledger, metricsPort, scenario, target, profile, given };
}
