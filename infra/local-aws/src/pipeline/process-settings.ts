import { availableParallelism } from 'node:os';

/**
 * Flags of Node for each process of a pipeline on one machine. Requests and answers are large and short-lived: with V8's
 * default of 16 MB for young objects these are copied repeatedly, and when idle seconds shrink the young generation, the load
 * after them begins so. And there are more processes than cores: threads that help each of them to collect garbage take
 * from the others what they give to one.
 */
export const NODE_FLAGS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--min-semi-space-size=64',
  '--max-semi-space-size=128',
  '--single-threaded-gc',
];

/**
 * Flags of a function's host. On Lambda each shard has a container of its own; here, more containers than cores would load
 * and compile the same code repeatedly, and run no faster.
 */
export const HOST_FLAGS: readonly string[] = [
  '--assignment',
  'home',
  '--concurrency',
  String(Math.max(2, availableParallelism())),
];
