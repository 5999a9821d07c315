/** Which free container gets an invocation, where there may be one for each that is under way. */
export type PoolAssignment = 'sticky' | 'rotate';

/**
 * Which container gets an invocation. `sticky` prefers the one that last served the same affinity (a shard's lane), so that
 * what it caches of that shard's devices serves again. `rotate` takes the one that has rested longest and so mixes shards
 * and containers, as Lambda may: the harder case for a function that caches. `home` assigns each affinity one container for
 * good, which it may share with others, and lets it wait for that one where the other two refuse.
 */
export const ASSIGNMENTS = ['sticky', 'rotate', 'home'] as const satisfies readonly (
  | PoolAssignment
  | 'home'
)[];
export type Assignment = (typeof ASSIGNMENTS)[number];
