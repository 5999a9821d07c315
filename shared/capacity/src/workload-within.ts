import { ASSUMPTIONS } from './assumptions.ts';
import { figureValue } from './figure.ts';
import { planCapacity } from './plan-capacity.ts';
import { windowWithin } from './readable-after.ts';
import { invocationFullSeconds, shardsFor, streamLoad } from './stream-load.ts';
import { completeWorkload, WORKLOAD_LIMITS, type Workload } from './workload.ts';

export interface WorkloadWithin {
  /** With linger, window and use of shards; undefined where no window keeps the budget. */
  readonly workload: Workload | undefined;
  /** How long it takes until a state is readable, with that window or without any; seconds. */
  readonly readableAfterSeconds: number;
}

/** Lingers that are tried, the producer's default first; seconds. */
const LINGERS_SECONDS = [
  ASSUMPTIONS.lingerSeconds,
  0.1,
  0.2,
  0.5,
  1,
  2,
  ASSUMPTIONS.lingerSecondsMax,
] as const;

/**
 * The workload with linger and window that cost least within a latency budget. A longer linger fills the records of aggregating producers and leaves
 * less for the window; it is chosen only where it is left open and records are aggregated. Of the windows the longest is taken. Where the use of
 * shards is left open and batches would be full before that window ends, shards are used less, so that batches last, if what this saves in write units
 * is more than the shards cost.
 *
 * Throws RangeError for a workload that cannot be.
 */
export function workloadWithin(workload: Workload, budgetSeconds: number): WorkloadWithin {
  const isOpen = workload.isAggregated === true && workload.lingerSeconds === undefined;
  const lingers = isOpen
    ? LINGERS_SECONDS.map((lingerSeconds) => ({ ...workload, lingerSeconds }))
    : [workload];
  return cheapest(lingers.map((one) => withLinger(one, budgetSeconds)));
}

function withLinger(workload: Workload, budgetSeconds: number): WorkloadWithin {
  const asGiven = within(workload, budgetSeconds);
  if (asGiven.workload === undefined || workload.shardUse !== undefined) return asGiven;
  const { shardUse: usual } = completeWorkload(workload);
  // With the least of a shard in use, an invocation is shortest: no window that is chosen is longer.
  const longest = windowWithin({ ...workload, shardUse: WORKLOAD_LIMITS.shardUse.min }, budgetSeconds);
  const shardUse = Math.max(WORKLOAD_LIMITS.shardUse.min, useThatLasts(workload, longest.windowSeconds ?? 0));
  if (shardUse >= usual) return asGiven;
  return cheapest([asGiven, within({ ...workload, shardUse }, budgetSeconds)]);
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
  const complete = completeWorkload(workload);
  const shardCount = shardsFor(
    complete,
    (load, shards) => invocationFullSeconds(load, shards) >= Math.max(1, windowSeconds),
  );
  return streamLoad(complete, shardCount).shards / shardCount;
}

/** The first of those that cost least. */
function cheapest([first, ...others]: readonly WorkloadWithin[]): WorkloadWithin {
  if (first === undefined) throw new RangeError('there is no workload to choose from');
  return others.reduce((least, one) => (dollarsOf(one) < dollarsOf(least) ? one : least), first);
}

function dollarsOf({ workload }: WorkloadWithin): number {
  return workload === undefined
    ? Number.POSITIVE_INFINITY
    : figureValue(planCapacity(workload).twinstream, 'dollars');
}
