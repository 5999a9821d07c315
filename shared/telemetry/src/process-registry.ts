import type { Registry } from 'prom-client';

/**
 * A registry that begins with what every process tells of itself: processor time, memory, event loop, garbage collections, each with the
 * label `process`, by which processes are told apart whose metrics are scraped together. The library is loaded by the first call.
 */
export async function processRegistry(process: string): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, labels: { process } });
  return registry;
}
