import { planBatches } from './batches.ts';
import { baselineDesign, coalescedDesign, twinstreamDesign } from './design.ts';
import { designFigures } from './design-figures.ts';
import type { CapacityFigure } from './figure.ts';
import { streamFigures } from './stream-figures.ts';
import { type CapacityWarning, capacityWarnings } from './warnings.ts';
import { type CompleteWorkload, completeWorkload, type Workload } from './workload.ts';

/**
 * What a workload takes in three designs: this one; the baseline, which puts each event and updates the state for it; and coalesced states, one write for a
 * device and batch, with history in the archive alone.
 */
export interface CapacityPlan {
  readonly workload: CompleteWorkload;
  readonly twinstream: readonly CapacityFigure[];
  /** The same keys in the same order. */
  readonly baseline: readonly CapacityFigure[];
  readonly coalesced: readonly CapacityFigure[];
  readonly warnings: readonly CapacityWarning[];
}

/** Shards, windows, concurrency, units and dollars of a workload. Throws RangeError for one that cannot be. */
export function planCapacity(given: Workload): CapacityPlan {
  const workload = completeWorkload(given);
  const batches = planBatches(workload);
  const shared = streamFigures(workload, batches);
  return {
    workload,
    twinstream: [...shared, ...designFigures(workload, batches, twinstreamDesign(workload, batches))],
    baseline: [...shared, ...designFigures(workload, batches, baselineDesign(workload, batches))],
    coalesced: [...shared, ...designFigures(workload, batches, coalescedDesign(workload, batches))],
    warnings: capacityWarnings(workload, batches),
  };
}
