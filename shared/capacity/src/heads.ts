import { ASSUMPTIONS } from './assumptions.ts';
import type { Batches } from './batches.ts';
import { headsOfContainer } from './projector-memory.ts';
import type { CompleteWorkload } from './workload.ts';

/**
 * Share of the devices of a batch whose head is in memory, but stale, because another container had the batch before: their page is refused. Lambda
 * promises no affinity of shard and container. The only shard of a stream has one container, as its invocations never overlap.
 */
export function staleShare(
  { shardCount }: Batches,
  strayShare: number = ASSUMPTIONS.strayBatchShare,
): number {
  return shardCount > 1 ? strayShare : 0;
}

/**
 * Share of the devices of a batch whose state is read: those whose head is stale, and those for which the memory has no space. Devices on their clock
 * come in the same order in each period, of which a memory that forgets the longest unused keeps none if it cannot keep all.
 */
export function headMissShare(workload: CompleteWorkload, batches: Batches, strayShare?: number): number {
  const { deviceCount, arrivals } = workload;
  const { shardCount } = batches;
  const devices = deviceCount / shardCount;
  const kept = Math.min(1, headsOfContainer({ ...workload, shardCount }) / devices);
  const held = arrivals === 'regular' && kept < 1 ? 0 : kept;
  return 1 - held * (1 - staleShare(batches, strayShare));
}
