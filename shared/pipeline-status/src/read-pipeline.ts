import type { ShardProgress, ShardProgressTable } from '@twinstream/latest-state';
import type { Clock } from '@twinstream/runtime';
import type { Shard } from '@twinstream/stream-model';
import type { ArchiveReader } from './archive-reader.ts';
import type { QuarantineCounter } from './quarantine-counter.ts';
import type { RunningReplay, RunningReplays } from './running-replays.ts';
import type { LagRecords, StreamReader } from './stream-reader.ts';

/** Where a pipeline's status is read from. */
export interface PipelineSources {
  readonly streamName: string;
  readonly stream: StreamReader;
  readonly progress: Pick<ShardProgressTable, 'read'>;
  readonly quarantine: QuarantineCounter;
  readonly archive: ArchiveReader;
  /** Absent where the table of operators is not known. */
  readonly replays?: RunningReplays;
  readonly clock: Clock;
  /** Told of a figure of a shard that could not be read, which is then null. What it throws fails the whole reading. */
  readonly onShardFailure: (shardId: Shard['shardId'], error: unknown) => void;
}

/** One shard as the projector stands on it. Null: that figure could not be read. */
export interface ShardReading {
  readonly shardId: Shard['shardId'];
  readonly state: 'OPEN' | 'CLOSED';
  readonly parents: readonly string[];
  /** The projector's checkpoint; null before the first. */
  readonly finishedThrough: string | null;
  readonly lagMs: number | null;
  /** Records after the checkpoint; null where they were not counted. */
  readonly lagRecords: LagRecords | null;
  /** Rounded to two decimals. */
  readonly recordsPerSecond: number | null;
  /** Records that were processed, rounded to two decimals; null where nobody watches that. */
  readonly processedPerSecond: number | null;
}

/** A pipeline at one moment. Times are milliseconds since 1970. */
export interface PipelineReading {
  /** Whatever was put before then is counted in the lags. */
  readonly asOfMs: number;
  readonly streamName: string;
  readonly retentionHours: number;
  readonly shards: readonly ShardReading[];
  readonly quarantinedEntries: number;
  /** Undefined while the archive is empty. */
  readonly lastDeliveryMs: number | undefined;
  /** Undefined where the table of operators is not known. */
  readonly replays: readonly RunningReplay[] | undefined;
}

/**
 * Reads a pipeline's status: what API and CLI both show. Rejects when stream, checkpoints, quarantine, archive or jobs cannot
 * be read.
 */
export async function readPipeline(sources: PipelineSources, signal?: AbortSignal): Promise<PipelineReading> {
  const { streamName, stream, progress, quarantine, archive, replays, clock } = sources;
  const startTime = clock.now();
  const finished = await progress.read(streamName, signal);
  const byShard = new Map(finished.map((shard) => [shard.shardId, shard]));
  const finishedTimes = finished.map((shard) => shard.arrivalTime);
  const [description, quarantinedEntries, lastDeliveryMs, running] = await Promise.all([
    stream.describe(signal),
    quarantine.count(finishedTimes.length === 0 ? undefined : Math.min(...finishedTimes), signal),
    archive.lastDeliveryTime(signal),
    replays?.(signal),
  ]);
  const readings = await Promise.all(
    description.shards.map((shard) => readShard(sources, shard, byShard.get(shard.shardId), signal)),
  );
  return {
    asOfMs: Math.min(startTime, ...readings.map(({ asOf }) => asOf ?? startTime)),
    streamName,
    retentionHours: description.retentionHours,
    shards: readings.map(({ reading }) => reading),
    quarantinedEntries,
    lastDeliveryMs,
    replays: running,
  };
}

async function readShard(
  { stream, onShardFailure }: PipelineSources,
  { shardId, isOpen, parentShardId, adjacentParentShardId }: Shard,
  progress: ShardProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly reading: ShardReading; readonly asOf: number | undefined }> {
  const known = async <T>(figure: Promise<T>): Promise<T | null> => {
    try {
      return await figure;
    } catch (error) {
      signal?.throwIfAborted();
      onShardFailure(shardId, error);
      return null;
    }
  };
  const [lag, recordsPerSecond] = await Promise.all([
    known(stream.lag(shardId, progress?.finishedThrough, signal)),
    isOpen ? known(stream.recordsPerSecond(shardId, signal)) : 0,
  ]);
  const reading: ShardReading = {
    shardId,
    state: isOpen ? 'OPEN' : 'CLOSED',
    parents: [parentShardId, adjacentParentShardId].filter((parent) => parent !== undefined),
    finishedThrough: progress?.finishedThrough ?? null,
    lagMs: lag?.lagMs ?? null,
    lagRecords: lag?.records ?? null,
    recordsPerSecond: rate(recordsPerSecond),
    processedPerSecond: rate(stream.processedPerSecond?.(shardId)),
  };
  return { reading, asOf: lag?.asOf };
}

function rate(perSecond: number | null | undefined): number | null {
  return perSecond == null ? null : Math.round(perSecond * 100) / 100;
}
