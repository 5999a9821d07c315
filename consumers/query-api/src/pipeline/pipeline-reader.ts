import type { PipelineStatus } from '@twinstream/api-contract';
import { type PipelineReading, type PipelineSources, readPipeline } from '@twinstream/pipeline-status';
import type { Logger } from '@twinstream/runtime';
import { isoTime } from '../device-json.ts';

export interface PipelineReaderOptions extends Omit<PipelineSources, 'onShardFailure'> {
  readonly logger: Logger;
  /** Makes sure that somebody follows the stream for the next while. Default: nobody does. */
  readonly keepFollowing?: () => void;
  /** How long an answer stands, in milliseconds: it bounds the reads of a shard, however many ask. Default 2,000. */
  readonly freshMs?: number;
}

/**
 * Reads the status of the pipeline, at most once in `freshMs`; those who ask meanwhile share the answer. Rejects as
 * {@link readPipeline} does; a single shard that cannot be read has nulls.
 */
export function createPipelineReader(options: PipelineReaderOptions): () => Promise<PipelineStatus> {
  const { clock, logger, freshMs = 2_000 } = options;
  const onShardFailure = (shardId: string, error: unknown) => {
    const reason = error instanceof Error ? error.name : String(error);
    logger.info({ shardId, reason }, 'shard not read');
  };
  let answer: Promise<PipelineStatus> | undefined;
  let answerTime = Number.NEGATIVE_INFINITY;
  return async () => {
    if (answer === undefined || clock.now() - answerTime > freshMs) {
      answerTime = clock.now();
      options.keepFollowing?.();
      const reading = readPipeline({ ...options, onShardFailure }).then(pipelineJson);
      answer = reading;
      // A failure is not an answer worth keeping.
      reading.catch(() => {
        if (answer === reading) answer = undefined;
      });
    }
    return answer;
  };
}

function pipelineJson(reading: PipelineReading): PipelineStatus {
  const { asOfMs, streamName, retentionHours, shards, quarantinedEntries, lastDeliveryMs, replays } = reading;
  return {
    asOf: isoTime(asOfMs),
    stream: streamName,
    retentionHours,
    shards: shards.map(({ lagRecords, parents: _, ...shard }) => ({
      ...shard,
      backlogRecords: lagRecords?.count ?? null,
    })),
    quarantined: quarantinedEntries,
    archive: { lastDeliveryTime: lastDeliveryMs === undefined ? null : isoTime(lastDeliveryMs) },
    ...(replays === undefined
      ? {}
      : {
          replays: replays.map(({ startedMs, updatedMs, ...replay }) => ({
            ...replay,
            startedTime: isoTime(startedMs),
            updatedTime: isoTime(updatedMs),
          })),
        }),
  };
}
