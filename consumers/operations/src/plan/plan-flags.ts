import { WORKLOAD_LIMITS } from '@twinstream/capacity';
import {
  numberWithin,
  type OutputFormat,
  outputOption,
  usageError,
  wholeNumber,
} from '@twinstream/command-line';
import { parseDurationMs } from '@twinstream/runtime';
import { type Command, Option } from 'commander';
import type { PlanRequest } from './plan-request.ts';

export interface PlanFlags {
  readonly devices: number;
  readonly period: string;
  readonly bytes: number;
  readonly latencyBudget?: string;
  readonly window?: string;
  readonly aggregate: boolean;
  readonly arrivals: 'regular' | 'random';
  readonly stateBytes?: number;
  readonly shardUse?: number;
  readonly output: OutputFormat;
}

const MS = 1_000;

export function addPlanFlags(command: Command): Command {
  const { deviceCount, eventBytes, stateBytes, shardUse } = WORKLOAD_LIMITS;
  return command
    .requiredOption('--devices <n>', 'devices', wholeNumber(deviceCount.min, deviceCount.max))
    .requiredOption('--period <duration>', 'one event of each device in this time: 10s, 200ms, 5m')
    .requiredOption(
      '--bytes <n>',
      'bytes of an event, its line end included',
      wholeNumber(eventBytes.min, eventBytes.max),
    )
    .option(
      '--latency-budget <duration>',
      'from intended send to readable; chooses the longest window that keeps it',
    )
    .option('--window <duration>', 'window of the mapping, whole seconds from 0s to 300s; default: 1s')
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
    .addOption(outputOption());
}

/** Throws `INVALID_USAGE` or `INVALID_DURATION`. */
export function planRequest(flags: PlanFlags): PlanRequest {
  const periodMs = parseDurationMs(flags.period);
  if (periodMs <= 0) throw usageError('--period must be longer than nothing');
  const { latencyBudget, window, stateBytes, shardUse } = flags;
  return {
    workload: {
      deviceCount: flags.devices,
      eventsPerSecondPerDevice: MS / periodMs,
      eventBytes: flags.bytes,
      isAggregated: flags.aggregate,
      arrivals: flags.arrivals,
      ...(stateBytes === undefined ? {} : { stateBytes }),
      ...(shardUse === undefined ? {} : { shardUse }),
      ...(window === undefined ? {} : { windowSeconds: windowSeconds(window) }),
    },
    ...(latencyBudget === undefined ? {} : { latencyBudgetSeconds: parseDurationMs(latencyBudget) / MS }),
  };
}

function windowSeconds(text: string): number {
  const seconds = parseDurationMs(text) / MS;
  const { min, max } = WORKLOAD_LIMITS.windowSeconds;
  if (Number.isInteger(seconds) && seconds >= min && seconds <= max) return seconds;
  throw usageError(`--window must be whole seconds from ${min}s to ${max}s, as Lambda takes them`);
}
