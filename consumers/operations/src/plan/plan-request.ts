import { type Workload, workloadWithin } from '@twinstream/capacity';
import { durationText, refusal, usageError } from '@twinstream/command-line';

/** What the flags of `plan` say, as values. */
export interface PlanRequest {
  readonly workload: Workload;
  /** From the moment at which a device means to send until its state is readable; seconds. */
  readonly latencyBudgetSeconds?: number;
}

/**
 * The workload with the window of the budget, where there is one, and with shards that let batches last so long. Throws `LATENCY_BUDGET` for a budget that no
 * window keeps, or that the given window exceeds, and RangeError for a workload that cannot be.
 */
export function chooseWindow({ workload, latencyBudgetSeconds }: PlanRequest): Workload {
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
  return workload;
}

/** What a workload that cannot be is to a person: a command line to put right. */
export function usageOf(error: unknown): unknown {
  return error instanceof RangeError ? usageError(error.message) : error;
}
