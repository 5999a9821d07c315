import type { ShardProgressTable } from '@twinstream/latest-state';
import { type Clock, CodedError, type Logger } from '@twinstream/runtime';
import {
  compareSequenceNumbers,
  type SequenceNumber,
  type ShardId,
  type StreamBatch,
} from '@twinstream/stream-model';

/** How long a container claims no progress of a shard whose batches overlap, before it looks again whether they still do. */
export const OVERLAP_SILENCE_MS = 15 * 60_000;

export interface ProgressServices {
  readonly shardProgress: ShardProgressTable;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Writes that everything before the earliest unfinished record is finished. Progress is a claim about what is stored,
 * not a condition for it: a write that fails is reported, and the next batch claims both.
 *
 * Such a claim is sound only where one invocation at a time works on a shard. A batch holds every record of its shard
 * between its first and its last, so progress that stood between them, and at none of them, was claimed by another
 * batch of the same records: the mapping runs with a parallelization factor above 1 although the configuration says 1. That is
 * reported, and answered with `overlap`: the caller must not claim for that shard for {@link OVERLAP_SILENCE_MS}.
 */
export async function advanceProgress(
  services: ProgressServices,
  { streamName, shardId, records }: StreamBatch,
  unfinishedFrom: SequenceNumber | undefined,
): Promise<'overlap' | undefined> {
  const last = records.findLast(
    ({ sequenceNumber }) =>
      unfinishedFrom === undefined || compareSequenceNumbers(sequenceNumber, unfinishedFrom) < 0,
  );
  if (last === undefined) return undefined;
  const { sequenceNumber: finishedThrough, arrivalTime } = last;
  try {
    const updatedTime = services.clock.now();
    const progress = { shardId, finishedThrough, arrivalTime, updatedTime };
    const { before } = await services.shardProgress.advance(streamName, progress);
    if (before === undefined || !isOfAnotherBatch(before, records)) return undefined;
    const error = overlapError(shardId);
    services.logger.error({ error, code: error.code, shardId, before }, 'batches of a shard overlap');
    return 'overlap';
  } catch (error) {
    services.logger.warn({ error, shardId }, 'shard progress not written');
    return undefined;
  }
}

/** Whether a position that lies at or after the first record, and before the last finished one, is none of the batch's. */
function isOfAnotherBatch(before: SequenceNumber, records: StreamBatch['records']): boolean {
  const [first] = records;
  if (first === undefined || compareSequenceNumbers(before, first.sequenceNumber) < 0) return false;
  return records.every(({ sequenceNumber }) => compareSequenceNumbers(sequenceNumber, before) !== 0);
}

function overlapError(shardId: ShardId): CodedError {
  const message = `batches of ${shardId} overlap: the mapping has a parallelization factor above 1, and TWINSTREAM_PARALLELIZATION_FACTOR says 1`;
  return new CodedError('PARALLEL_BATCHES', message);
}
