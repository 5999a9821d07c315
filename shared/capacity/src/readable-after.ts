import { ASSUMPTIONS } from './assumptions.ts';
import { type Batches, POLL_SECONDS, planBatches } from './batches.ts';
import { type DesignName, eventsPerCore } from './projecting-speed.ts';
import { type CompleteWorkload, completeWorkload, WORKLOAD_LIMITS, type Workload } from './workload.ts';

/** The time of one invocation that projects, at the mean rate. */
export function invocationSeconds({ eventsPerBatch, eventsPerDevice }: Batches, design: DesignName): number {
  return ASSUMPTIONS.invocationSeconds + eventsPerBatch / eventsPerCore(design, eventsPerDevice);
}

/**
 * Longest time from the moment at which a device means to send until its state is readable: the producer's linger, the
 * way to the poll,
 * a poll, the whole window, and the invocation. At the mean rate, with nothing queued, throttled or cold.
 */
export function readableAfterSeconds(
  { windowSeconds, lingerSeconds }: CompleteWorkload,
  batches: Batches,
  design: DesignName,
): number {
  const waiting = lingerSeconds + ASSUMPTIONS.propagationSeconds + POLL_SECONDS + windowSeconds;
  return waiting + invocationSeconds(batches, design);
}

export interface WindowChoice {
  /** The longest whole window that keeps within the budget; undefined where even none does. */
  readonly windowSeconds: number | undefined;
  /** {@link readableAfterSeconds} with that window, or without any. */
  readonly readableAfterSeconds: number;
}

/** Chooses the window of the mapping by a latency budget. Throws RangeError for a workload that cannot be. */
export function windowWithin(workload: Workload, budgetSeconds: number): WindowChoice {
  const { min, max } = WORKLOAD_LIMITS.windowSeconds;
  const afterWith = (windowSeconds: number): number => {
    const complete = completeWorkload({ ...workload, windowSeconds });
    return readableAfterSeconds(complete, planBatches(complete), 'twinstream');
  };
  for (
    let windowSeconds = Math.min(max, Math.floor(budgetSeconds));
    windowSeconds >= min;
    windowSeconds -= 1
  ) {
    const after = afterWith(windowSeconds);
    if (after <= budgetSeconds) return { windowSeconds, readableAfterSeconds: after };
  }
  return { windowSeconds: undefined, readableAfterSeconds: afterWith(min) };
}
