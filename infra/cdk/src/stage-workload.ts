import {
  figureValue,
  planCapacity,
  streamReaders,
  WORKLOAD_LIMITS,
  type Workload,
  workloadWithin,
} from '@twinstream/capacity';
import { z } from 'zod';

const SECONDS_A_MINUTE = 60;
/** A consumer within its budget never lags by that much; twice the budget indicates a fault. */
const BUDGETS_BEHIND_MAX = 2;

const within = ({ min, max }: { readonly min: number; readonly max: number }) =>
  z.coerce.number('a number').min(min, `from ${min}`).max(max, `to ${max}`);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

/** The workload of a stage, as it is set with `-c name=value`. All of the first three, or none. */
export const WORKLOAD_CONTEXT = {
  devices: within(WORKLOAD_LIMITS.deviceCount).int('whole').optional(),
  /** Of one device: 0.1 is one in ten seconds. */
  eventsPerSecond: within(WORKLOAD_LIMITS.eventsPerSecondPerDevice).optional(),
  /** One event, its line end included. */
  eventBytes: within(WORKLOAD_LIMITS.eventBytes).int('whole').optional(),
  /** From intended send to readable; chooses the window, and shards that let batches last so long. */
  latencyBudgetSeconds: within({ min: 0, max: 3_600 }).optional(),
  /** Whether producers put several events to a record. */
  aggregated: flag.optional(),
};

export type WorkloadContext = z.infer<z.ZodObject<typeof WORKLOAD_CONTEXT>>;

/** What a stage takes from the plan of its workload. */
export interface StageCapacity {
  readonly shardCount: number;
  readonly windowSeconds: number;
  readonly deviceCount: number;
  /** Item of one device in the table of states. */
  readonly stateBytes: number;
  /** At the mean rate, of both tables. */
  readonly writeUnitsPerSecond: number;
  /** Iterator age above which a consumer lags, whatever the window; minutes. */
  readonly iteratorAgeMinutesMin: number;
}

/**
 * Plans a stage by its workload, by the formula of `ops plan`. Undefined where no workload is stated; the faults where it is stated in part, or where the
 * budget cannot be kept.
 */
export function stageCapacity(
  context: WorkloadContext,
  asked: { readonly windowSeconds?: number | undefined; readonly hasFleetService: boolean },
): StageCapacity | undefined | { readonly faults: readonly string[] } {
  const { devices, eventsPerSecond, eventBytes, latencyBudgetSeconds, aggregated } = context;
  const stated = Object.values(context).some((value) => value !== undefined);
  if (!stated) return undefined;
  if (devices === undefined || eventsPerSecond === undefined || eventBytes === undefined) {
    return { faults: ['devices, eventsPerSecond, eventBytes: a workload states all three'] };
  }
  const workload: Workload = {
    deviceCount: devices,
    eventsPerSecondPerDevice: eventsPerSecond,
    eventBytes,
    isAggregated: aggregated ?? false,
    readerCount: streamReaders(asked.hasFleetService),
    ...(asked.windowSeconds === undefined ? {} : { windowSeconds: asked.windowSeconds }),
  };
  if (latencyBudgetSeconds === undefined) return capacityOf(workload);
  const { workload: chosen, readableAfterSeconds } = workloadWithin(workload, latencyBudgetSeconds);
  const longest = chosen?.windowSeconds;
  if (chosen === undefined || longest === undefined) {
    const least = `${readableAfterSeconds.toFixed(1)} s without a window`;
    return { faults: [`latencyBudgetSeconds: states are readable after ${least}`] };
  }
  const { windowSeconds = longest } = asked;
  if (windowSeconds > longest) {
    return { faults: [`windowSeconds: exceeds the latency budget, which leaves ${longest}`] };
  }
  return capacityOf(asked.windowSeconds === undefined ? chosen : workload, latencyBudgetSeconds);
}

function capacityOf(workload: Workload, budgetSeconds = 0): StageCapacity {
  const plan = planCapacity(workload);
  const value = (key: string) => figureValue(plan.twinstream, key);
  const behindSeconds = BUDGETS_BEHIND_MAX * Math.max(budgetSeconds, value('readableAfterSeconds'));
  return {
    shardCount: value('shards'),
    windowSeconds: plan.workload.windowSeconds,
    deviceCount: plan.workload.deviceCount,
    stateBytes: plan.workload.stateBytes,
    writeUnitsPerSecond: value('writeUnitsPerSecond'),
    iteratorAgeMinutesMin: Math.ceil(behindSeconds / SECONDS_A_MINUTE),
  };
}
