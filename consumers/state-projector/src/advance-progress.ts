import type { ShardProgressTable } from '@twinstream/latest-state';
import type { Clock, Logger } from '@twinstream/runtime';
import { compareSequenceNumbers, type SequenceNumber, type StreamBatch } from '@twinstream/stream-model';

/**
 * Writes that everything before the earliest unfinished record is finished. Progress is a claim about what is stored,
 * not a condition for it: a write that fails is reported, and the next batch claims both.
 */
export async function advanceProgress(
  services: {
    readonly shardProgress: ShardProgressTable;
    readonly clock: Clock;
    readonly logger: Logger;
  },
  options: { readonly parallelizationFactor: number },
  { streamName, shardId, records }: StreamBatch,
  unfinishedFrom: SequenceNumber | undefined,
): Promise<void> {
  if (options.parallelizationFactor > 1) return;
  const last = records.findLast(
    ({ sequenceNumber }) =>
      unfinishedFrom === undefined || compareSequenceNumbers(sequenceNumber, unfinishedFrom) < 0,
  );
  if (last === undefined) return;
  const { sequenceNumber: finishedThrough, arrivalTime } = last;
  try {
    const updatedTime = services.clock.now();
    await services.shardProgress.advance(streamName, { shardId, finishedThrough, arrivalTime, updatedTime });
  } catch (error) {
    services.logger.warn({ error, shardId }, 'shard progress not written');
  }
}
