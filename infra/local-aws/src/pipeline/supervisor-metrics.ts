import { processRegistry, serveMetrics } from '@twinstream/telemetry';
import { type LogMetrics, projectorMetrics } from './embedded-metrics.ts';

/** Metrics of the supervisor, and of what it reads in the projector's log. */
export interface SupervisorMetrics {
  /** Where they are scraped. */
  readonly url: string;
  readonly log: LogMetrics;
  close(): Promise<void>;
}

export async function startSupervisorMetrics(): Promise<SupervisorMetrics> {
  const registry = await processRegistry('supervisor');
  const log = projectorMetrics(registry);
  const { url, close } = await serveMetrics(
    async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    0,
  );
  return { url, log, close };
}
