import { SHARD_IN_BYTES_PER_SECOND, SHARD_IN_RECORDS_PER_SECOND } from '@twinstream/stream-model';
import { BATCH_DATA_BYTES_MAX, BATCH_RECORDS_MAX, planBatches } from './batches.ts';
import { figureValue } from './figure.ts';
import { planCapacity } from './plan-capacity.ts';
import { windowWithin } from './readable-after.ts';
import { completeWorkload, WORKLOAD_LIMITS, type Workload } from './workload.ts';

export interface WorkloadWithin {
  /** With window and use of shards; undefined where no window keeps the budget. */
  readonly workload: Workload | undefined;
  /** How long it takes until a state is readable, with that window or without any; seconds. */
  readonly readableAfterSeconds: number;
}

/**
 * The workload with the longest window that keeps a latency budget. Where its use of shards is left open and batches would be full before that window
 * ends, shards are used less, so that batches last, if what this saves in write units is more than the shards cost.
 *
 * Throws RangeError for a workload that cannot be.
 */
export function workloadWithin(workload: Workload, budgetSeconds: number): WorkloadWithin {
  const asGiven = within(workload, budgetSeconds);
  if (asGiven.workload === undefined || workload.shardUse !== undefined) return asGiven;
  const { shardUse: usual } = completeWorkload(workload);
  const { min } = WORKLOAD_LIMITS.shardUse;
  // Of all uses, the least leaves most time to wait: no window that is chosen is longer.
  const { windowSeconds: longest = 0 } = windowWithin({ ...workload, shardUse: min }, budgetSeconds);
  const shardUse = Math.max(min, useThatLasts(workload, longest));
  if (shardUse >= usual) return asGiven;
  const lasting = within({ ...workload, shardUse }, budgetSeconds);
  return dollarsOf(lasting) < dollarsOf(asGiven) ? lasting : asGiven;
}

function within(workload: Workload, budgetSeconds: number): WorkloadWithin {
  const { windowSeconds, readableAfterSeconds } = windowWithin(workload, budgetSeconds);
  return {
    workload: windowSeconds === undefined ? undefined : { ...workload, windowSeconds },
    readableAfterSeconds,
  };
}

/** The use of a shard at which its batches, by bytes and records, are full just when the window ends. */
function useThatLasts(workload: Workload, windowSeconds: number): number {
  const { bytesPerSecond, recordsPerSecond } = planBatches(completeWorkload(workload));
  const load = Math.max(
    bytesPerSecond / SHARD_IN_BYTES_PER_SECOND,
    recordsPerSecond / SHARD_IN_RECORDS_PER_SECOND,
  );
  const batchesASecond = Math.max(
    bytesPerSecond / BATCH_DATA_BYTES_MAX,
    recordsPerSecond / BATCH_RECORDS_MAX,
  );
  return load / (batchesASecond * Math.max(1, windowSeconds));
}

function dollarsOf({ workload }: WorkloadWithin): number {
  return workload === undefined
    ? Number.POSITIVE_INFINITY
    : figureValue(planCapacity(workload).twinstream, 'dollars');
}
