import { randomInt } from 'node:crypto';
import {
  type CommandHost,
  callerPath,
  EXIT_CODES,
  type ExitCode,
  explainFailure,
  type LiveLine,
  usageError,
  visible,
  whole,
} from '@twinstream/command-line';
import type { Clock, Environment, Target, TargetName } from '@twinstream/runtime';
import { createStreamProducer, kinesisTransport } from '@twinstream/stream-producer';
import { openSpanExporter, processExposition, type SpanExporter, serveMetrics } from '@twinstream/telemetry';
import { openLedger } from '../sending/ledger.ts';
import { showProgress } from '../sending/progress-line.ts';
import type { SimulatedRecord } from '../sending/simulated-record.ts';
import { type CountedRun, simulatorMetrics } from '../sending/simulator-metrics.ts';
import { REJECTED_ROWS_LISTED_MAX, type RunSummary, summaryText } from '../sending/summary.ts';
import { type Flags, readFlags } from './flags.ts';
import type { Interrupts } from './interrupts.ts';
import { planRun, type RunPlan } from './run-plan.ts';
import { type RunResult, runSimulation } from './run-simulation.ts';
import { readScenario } from './scenario-file.ts';
import { flagOf, readSettings, type SettingName, type Settings } from './settings.ts';
import { explainStreamTrouble } from './stream-trouble.ts';

/** The process that the command runs in. */
export interface SimulateHost extends CommandHost {
  /** Decides where the events go, by `--target` and `--profile`, and has the SDK go there. Throws `TARGET_REQUIRED`, `NO_PIPELINE` or `INVALID_PROFILE`. */
  readonly enterTarget: (asked: TargetName | undefined, profile: string | undefined) => Target;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
}

/** Errors of the input, which the user corrects before anything is sent. */
const INPUT_ERRORS = new Map(
  [
    'INPUT_NOT_FOUND',
    'INPUT_UNREADABLE',
    'INPUT_EMPTY',
    'INPUT_ALL_REJECTED',
    'INPUT_NOT_ROWS',
    'INPUT_TOO_LARGE_TO_SORT',
    'COLUMNS_NEEDED',
    'UNKNOWN_COLUMN',
    'LEDGER_UNWRITABLE',
    'PORT_TAKEN',
  ].map((code) => [code, EXIT_CODES.usage]),
);
const SEED_DRAWN_BELOW = 2 ** 32;
/** Events on their way, as the producer counts them; in memory they take about three times as much. */
const BUFFER_BYTES_MAX = 16 * 1024 * 1024;

/** Runs `npm run simulate`, and returns its exit code. Nothing that a file or a flag holds acts upon the terminal. */
export async function simulateCommand(host: SimulateHost): Promise<ExitCode> {
  const flags = readFlags(host);
  if ('exitCode' in flags) return flags.exitCode;
  let place: Place | undefined;
  try {
    const settings = settingsOf(flags, host);
    const { name, environment } = host.enterTarget(flags.target, flags.profile);
    const plan = planRun(settings, {
      nowMs: host.clock.now(),
      stream: environment.TWINSTREAM_STREAM || undefined,
      drawSeed: () => randomInt(SEED_DRAWN_BELOW),
    });
    place = { stream: plan.stream, environment };
    if (name === 'aws') {
      // With the clients of all services: a fourteenth of the time of a start, and nothing else needs them.
      const { describeAwsTarget } = await import('@twinstream/aws/target');
      host.stderr.write(`${await describeAwsTarget(['kinesis'], { stream: plan.stream })}\n`);
    }
    const result = await run(plan, flags, host, spansOf(plan, environment, host));
    return report(result, place, flags, host);
  } catch (error) {
    return reportFailure(error, place, host);
  }
}

/** Where events go, to explain what went wrong there. */
interface Place {
  readonly stream: string;
  readonly environment: Environment;
}

function settingsOf(flags: Flags, { folder }: SimulateHost): Settings {
  const written = readSettings(flags.given, flagOf);
  const own =
    written.input === undefined || written.input === '-' ? {} : { input: callerPath(written.input, folder) };
  const scenario = flags.scenario === undefined ? {} : readScenario(flags.scenario, folder);
  return overridden(scenario, { ...written, ...own });
}

const REPLACED_BY: readonly (readonly [SettingName, SettingName])[] = [
  ['duration', 'count'],
  ['count', 'duration'],
  ['rate', 'speed'],
  ['speed', 'rate'],
];

/** A scenario with flags, which win: also against a setting that they exclude. */
function overridden(scenario: Settings, flags: Settings): Settings {
  const kept = Object.entries(scenario).filter(
    ([name]) => !REPLACED_BY.some(([replaced, by]) => name === replaced && flags[by] !== undefined),
  );
  return { ...Object.fromEntries(kept), ...flags };
}

/** Where the spans of traced events go; nowhere where none are. Throws `INVALID_USAGE` where they would be lost. */
function spansOf(
  { traceShare }: RunPlan,
  environment: Environment,
  { stderr }: SimulateHost,
): SpanExporter | undefined {
  if (traceShare === 0) return undefined;
  const spans = openSpanExporter('device-simulator', environment, (error) => {
    stderr.write(`${visible(`spans not sent: ${error instanceof Error ? error.message : String(error)}`)}\n`);
  });
  if (spans !== undefined) return spans;
  throw usageError('--trace-ratio: name a receiver of spans by OTEL_EXPORTER_OTLP_ENDPOINT');
}

async function run(
  plan: RunPlan,
  flags: Flags,
  host: SimulateHost,
  spans: SpanExporter | undefined,
): Promise<RunResult> {
  const { clock, interrupts, stderr, folder } = host;
  let progress: LiveLine | undefined;
  let badRowCount = 0;
  const counted: CountedRun = {};
  const metrics =
    flags.metricsPort === undefined
      ? undefined
      : await serveMetrics(
          processExposition('device-simulator', simulatorMetrics(counted)),
          flags.metricsPort,
        );
  const note = (line: string): void => {
    const harmless = visible(line);
    if (progress === undefined) stderr.write(`${harmless}\n`);
    else progress.note(harmless);
  };
  try {
    return await runSimulation(plan, {
      clock,
      spans,
      ...interrupts,
      openProducer: async () => {
        const producer = await openProducer(plan, clock);
        counted.producer = producer.metrics;
        return producer;
      },
      openLedger: async () =>
        flags.ledger === undefined ? undefined : openLedger(callerPath(flags.ledger, folder)),
      onStart: (tally) => {
        counted.tally = tally;
        if (flags.progress) progress = showProgress(stderr, tally, clock.now);
      },
      onBadRow: ({ line, reason }) => {
        badRowCount += 1;
        if (badRowCount <= REJECTED_ROWS_LISTED_MAX) note(`line ${line}: ${reason}`);
      },
    });
  } finally {
    progress?.close();
    await metrics?.close();
    const unlisted = badRowCount - REJECTED_ROWS_LISTED_MAX;
    if (unlisted > 0) stderr.write(`and ${whole(unlisted)} more invalid rows\n`);
  }
}

async function openProducer(plan: RunPlan, clock: Clock) {
  const transport = kinesisTransport({ streamName: plan.stream });
  try {
    return await createStreamProducer<SimulatedRecord>({
      transport,
      clock,
      aggregate: plan.aggregate,
      ...(plan.mixedAggregates === undefined ? {} : { mixedAggregates: plan.mixedAggregates }),
      bufferBytesMax: BUFFER_BYTES_MAX,
      ...(plan.lingerMs === undefined ? {} : { lingerMs: plan.lingerMs }),
      ...(plan.deadlineMs === undefined ? {} : { deadlineMs: plan.deadlineMs }),
    });
  } catch (error) {
    transport.close?.();
    throw error;
  }
}

function report({ summary, failure }: RunResult, place: Place, flags: Flags, host: SimulateHost): ExitCode {
  if (failure !== undefined) host.stderr.write(`${explain(failure, place)}\n`);
  host.stdout.write(visible(flags.output === 'json' ? `${JSON.stringify(summary)}\n` : summaryText(summary)));
  return exitCodeOf(summary, failure);
}

function exitCodeOf({ failed }: RunSummary, failure: unknown): ExitCode {
  return failed === 0 && failure === undefined ? EXIT_CODES.success : EXIT_CODES.failed;
}

/** Of a run that sent nothing. */
function reportFailure(error: unknown, place: Place | undefined, host: SimulateHost): ExitCode {
  const { text, exitCode } = explainFailure(error, {
    environment: place?.environment ?? host.environment,
    ownErrors: INPUT_ERRORS,
  });
  const isOfStream = exitCode === EXIT_CODES.unavailable && place !== undefined;
  host.stderr.write(`${isOfStream ? explain(error, place) : visible(text)}\n`);
  return exitCode;
}

function explain(error: unknown, { stream, environment }: Place): string {
  return visible(explainStreamTrouble(error, stream, environment));
}
