import type { PipelineStatus } from '@twinstream/api-contract';
import type { Logger } from '@twinstream/runtime';

/** How long a stop waits for the consumers to catch up. What they have not read by then stays in the stream. */
const CATCH_UP_MS = 10_000;
const POLL_MS = 250;

/** Waits until every shard is read to its end, or for 10 s. */
export async function drain(apiUrl: string, logger: Logger): Promise<void> {
  const deadline = Date.now() + CATCH_UP_MS;
  while (Date.now() < deadline) {
    try {
      const response = await fetch(`${apiUrl}/v1/pipeline`, { signal: AbortSignal.timeout(CATCH_UP_MS) });
      const { shards } = (await response.json()) as PipelineStatus;
      if (response.ok && shards.every(({ lagMs }) => lagMs === 0)) return;
    } catch (error) {
      logger.warn({ error }, 'lag not known');
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  logger.warn('stopped before the consumers had caught up');
}
