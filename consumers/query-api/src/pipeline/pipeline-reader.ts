import type { PipelineStatus, ShardStatus } from '@twinstream/api-contract';
import type { ShardProgress, ShardProgressTable } from '@twinstream/latest-state';
import type { Clock, Logger } from '@twinstream/runtime';
import type { Shard } from '@twinstream/stream-model';
import { isoTime } from '../device-json.ts';
import type { QuarantineCounter } from './quarantine-counter.ts';
import type { RunningReplays } from './running-replays.ts';
import type { StreamReader } from './stream-reader.ts';

/** Where the archive stands. */
export interface ArchiveReader {
  /** When the newest object was written, milliseconds since 1970; undefined while there is none. */
  lastDeliveryTime(signal?: AbortSignal): Promise<number | undefined>;
}

export interface PipelineReaderOptions {
  readonly streamName: string;
  readonly stream: StreamReader;
  readonly progress: Pick<ShardProgressTable, 'read'>;
  readonly quarantine: QuarantineCounter;
  readonly archive: ArchiveReader;
  readonly replays?: RunningReplays;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an answer stands, in milliseconds: it bounds the reads of a shard, however many ask. Default 2,000. */
  readonly freshMs?: number;
}

/**
 * Reads the status of the pipeline, at most once in `freshMs`; those who ask meanwhile share the answer. Rejects when
 * stream, progress, quarantine or archive cannot be read; a single shard that cannot be read has nulls.
 */
export function createPipelineReader(options: PipelineReaderOptions): () => Promise<PipelineStatus> {
  const { clock, freshMs = 2_000 } = options;
  let answer: Promise<PipelineStatus> | undefined;
  let answerTime = Number.NEGATIVE_INFINITY;
  return async () => {
    if (answer === undefined || clock.now() - answerTime > freshMs) {
      answerTime = clock.now();
      const reading = readPipeline(options);
      answer = reading;
      // A failure is not an answer worth keeping.
      reading.catch(() => {
        if (answer === reading) answer = undefined;
      });
    }
    return answer;
  };
}

async function readPipeline(options: PipelineReaderOptions): Promise<PipelineStatus> {
  const { streamName, stream, progress, quarantine, archive, replays, clock } = options;
  const startTime = clock.now();
  const finished = await progress.read(streamName);
  const byShard = new Map(finished.map((shard) => [shard.shardId, shard]));
  const finishedTimes = finished.map((shard) => shard.arrivalTime);
  const [description, quarantined, lastDeliveryTime, running] = await Promise.all([
    stream.describe(),
    quarantine.count(finishedTimes.length === 0 ? undefined : Math.min(...finishedTimes)),
    archive.lastDeliveryTime(),
    replays?.(),
  ]);
  const readings = await Promise.all(
    description.shards.map((shard) => readShard(options, shard, byShard.get(shard.shardId))),
  );
  return {
    asOf: isoTime(Math.min(startTime, ...readings.map(({ asOf }) => asOf ?? startTime))),
    stream: streamName,
    retentionHours: description.retentionHours,
    shards: readings.map(({ status }) => status),
    quarantined,
    archive: { lastDeliveryTime: lastDeliveryTime === undefined ? null : isoTime(lastDeliveryTime) },
    ...(running === undefined ? {} : { replays: [...running] }),
  };
}

async function readShard(
  { stream, logger }: PipelineReaderOptions,
  { shardId, isOpen }: Shard,
  progress: ShardProgress | undefined,
): Promise<{ readonly status: ShardStatus; readonly asOf: number | undefined }> {
  const known = async <T>(figure: Promise<T>): Promise<T | null> => {
    try {
      return await figure;
    } catch (error) {
      const reason = error instanceof Error ? error.name : String(error);
      logger.info({ shardId, reason }, 'shard not read');
      return null;
    }
  };
  const [lag, recordsPerSecond] = await Promise.all([
    known(stream.lag(shardId, progress?.finishedThrough)),
    isOpen ? known(stream.recordsPerSecond(shardId)) : 0,
  ]);
  const status: ShardStatus = {
    shardId,
    state: isOpen ? 'OPEN' : 'CLOSED',
    lagMs: lag?.lagMs ?? null,
    recordsPerSecond: recordsPerSecond == null ? null : Math.round(recordsPerSecond * 100) / 100,
    finishedThrough: progress?.finishedThrough ?? null,
  };
  return { status, asOf: lag?.asOf };
}
