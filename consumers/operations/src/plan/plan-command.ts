import {
  type CapacityPlan,
  planCapacity,
  WORKLOAD_LIMITS,
  type Workload,
  workloadWithin,
} from '@twinstream/capacity';
import {
  duration,
  durationText,
  EXIT_CODES,
  type ExitCode,
  numberWithin,
  type OutputFormat,
  outputOption,
  parsedBy,
  refusal,
  usageError,
  wholeNumber,
} from '@twinstream/command-line';
import { parseDurationMs } from '@twinstream/runtime';
import { type Command, Option } from 'commander';
import {
  addCommand,
  type HostContext,
  type RunAlone,
  write,
  writeDocument,
} from '../command/command-context.ts';
import { capacityDocument, capacityText } from './plan-report.ts';

/** Adds `plan`, which needs no pipeline: it computes. */
export function addPlan(program: Command, runAlone: RunAlone): void {
  const command = addCommand(
    program,
    'plan',
    'Shards, windows, concurrency, write units and dollars of a load, before there is one.',
    [
      'plan --devices 10000 --period 10s --bytes 170',
      'plan --devices 10000 --period 10s --bytes 170 --latency-budget 60s --aggregate',
      'plan --devices 4000 --period 40ms --bytes 170 --window 1s --output json',
    ],
  );
  addPlanFlags(command).action((flags: PlanFlags) => runAlone(async (context) => plan(context, flags)));
}

function plan(context: HostContext, flags: PlanFlags): ExitCode {
  const request = planRequest(flags);
  const planned = plannedFor(request);
  if (flags.output !== 'table')
    writeDocument(context, flags.output, capacityDocument(planned, request.latencyBudgetSeconds));
  else write(context, capacityText(planned));
  return EXIT_CODES.success;
}

/** A workload that cannot be is invalid usage. */
function plannedFor(request: PlanRequest): CapacityPlan {
  try {
    return planCapacity(chooseWindow(request));
  } catch (error) {
    throw error instanceof RangeError ? usageError(error.message) : error;
  }
}

interface PlanFlags {
  readonly devices: number;
  readonly period: number;
  readonly bytes: number;
  readonly latencyBudget?: number;
  /** Seconds. */
  readonly window?: number;
  readonly aggregate: boolean;
  readonly arrivals: 'regular' | 'random';
  readonly stateBytes?: number;
  readonly shardUse?: number;
  /** Milliseconds. */
  readonly linger?: number;
  readonly producers?: number;
  readonly output: OutputFormat;
}

const MS = 1_000;
/** Longest period and budget that are read; which ones a plan supports, it says itself. */
const TIME_MS_MAX = 365 * 24 * 3_600_000;

function addPlanFlags(command: Command): Command {
  const { deviceCount, eventBytes, stateBytes, shardUse, lingerSeconds, producerCount } = WORKLOAD_LIMITS;
  return command
    .requiredOption('--devices <n>', 'devices', wholeNumber(deviceCount.min, deviceCount.max))
    .requiredOption(
      '--period <duration>',
      'one event of each device in this time: 10s, 200ms, 5m',
      duration(1, TIME_MS_MAX),
    )
    .requiredOption(
      '--bytes <n>',
      'bytes of an event, its line end included',
      wholeNumber(eventBytes.min, eventBytes.max),
    )
    .option(
      '--latency-budget <duration>',
      'from intended send to readable; chooses the longest window that keeps it',
      duration(0, TIME_MS_MAX),
    )
    .option(
      '--window <duration>',
      'window of the mapping, whole seconds from 0s to 300s; default: 1s',
      parsedBy(windowSeconds),
    )
    .option('--aggregate', 'several events to a Kinesis record, as the producer does on request', false)
    .addOption(
      new Option('--arrivals <kind>', 'on the device’s clock, or independently of each other')
        .choices(['regular', 'random'])
        .default('regular'),
    )
    .option(
      '--state-bytes <n>',
      'bytes of a device’s state; default: of one whose events all name the same attributes',
      wholeNumber(stateBytes.min, stateBytes.max),
    )
    .option(
      '--shard-use <share>',
      'share of a shard that is used at the mean rate, so that peaks fit; default: 0.6',
      numberWithin(shardUse.min, shardUse.max),
    )
    .option(
      '--linger <duration>',
      'linger of producers that aggregate; default: the cheapest within the latency budget, 50ms without one',
      duration(lingerSeconds.min * MS, lingerSeconds.max * MS),
    )
    .option(
      '--producers <n>',
      'processes that put, each of which fills records of its own; default: one for 20,000 events a second',
      wholeNumber(producerCount.min, producerCount.max),
    )
    .addOption(outputOption());
}

function planRequest(flags: PlanFlags): PlanRequest {
  const { latencyBudget, window, stateBytes, shardUse, linger, producers } = flags;
  return {
    workload: {
      deviceCount: flags.devices,
      eventsPerSecondPerDevice: MS / flags.period,
      eventBytes: flags.bytes,
      isAggregated: flags.aggregate,
      arrivals: flags.arrivals,
      ...(stateBytes === undefined ? {} : { stateBytes }),
      ...(shardUse === undefined ? {} : { shardUse }),
      ...(linger === undefined ? {} : { lingerSeconds: linger / MS }),
      ...(producers === undefined ? {} : { producerCount: producers }),
      ...(window === undefined ? {} : { windowSeconds: window }),
    },
    ...(latencyBudget === undefined ? {} : { latencyBudgetSeconds: latencyBudget / MS }),
  };
}

function windowSeconds(text: string): number {
  const seconds = parseDurationMs(text) / MS;
  const { min, max } = WORKLOAD_LIMITS.windowSeconds;
  if (Number.isInteger(seconds) && seconds >= min && seconds <= max) return seconds;
  throw new RangeError(`It must be whole seconds from ${min}s to ${max}s, as Lambda takes them.`);
}

/** What the flags of `plan` say, as values. */
interface PlanRequest {
  readonly workload: Workload;
  /** From the moment at which a device means to send until its state is readable; seconds. */
  readonly latencyBudgetSeconds?: number;
}

/**
 * The workload with the window of the budget, where there is one, and with shards that let batches last so long. Throws
 * `LATENCY_BUDGET` for a budget that no window keeps, or that the given window exceeds, and RangeError for a workload that
 * cannot be.
 */
function chooseWindow({ workload, latencyBudgetSeconds }: PlanRequest): Workload {
  if (latencyBudgetSeconds === undefined) return workload;
  const { workload: chosen, readableAfterSeconds } = workloadWithin(workload, latencyBudgetSeconds);
  const budget = durationText(latencyBudgetSeconds * 1_000);
  if (chosen?.windowSeconds === undefined) {
    throw refusal(
      'LATENCY_BUDGET',
      `a state is readable ${durationText(readableAfterSeconds * 1_000)} after its event even without a window (a poll a second, the way there, an invocation); ${budget} cannot be kept`,
    );
  }
  const { windowSeconds: longest } = chosen;
  const { windowSeconds: asked } = workload;
  if (asked === undefined) return chosen;
  if (asked > longest) {
    throw refusal(
      'LATENCY_BUDGET',
      `a window of ${asked} s makes states older than ${budget}: it may be ${longest} s at most; leave --window out, or give more time`,
    );
  }
  const { lingerSeconds } = chosen;
  return lingerSeconds === undefined ? workload : { ...workload, lingerSeconds };
}
