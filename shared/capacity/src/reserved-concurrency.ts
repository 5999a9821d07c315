/**
 * One `UpdateShardCount` at most doubles or halves the shards of a stream (Kinesis API reference, read 2026-12). CloudFormation changes the
 * stream before its functions, and closed parents are read to their end before their children: either way a function that has
 * what the fewer shards need is asked for twice of it.
 */
const RESHARD_GROWTH_MAX = 2;

/** Executions of an account that no function may reserve ("Configuring reserved concurrency", Lambda developer guide, read 2026-12). */
export const UNRESERVED_EXECUTIONS_MIN = 100;

/**
 * Invocations that are reserved for a function: one for each concurrent batch of each shard, and as many again as head-room. Reserved
 * concurrency is a limit as well: exactly what the shards need would throttle a reshard, and a redrive that invokes the archiver
 * beside its mapping.
 */
export function reservedInvocations(shardCount: number, parallelizationFactor: number): number {
  return shardCount * parallelizationFactor * RESHARD_GROWTH_MAX;
}
