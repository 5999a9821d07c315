import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { EventSourceMappingConfiguration } from '@aws-sdk/client-lambda';
import { isoText } from '@twinstream/command-line';
import {
  dynamoDbReplays,
  kinesisStreamReader,
  type PipelineReading,
  quarantineCounter,
  readPipeline,
  s3ArchiveReader,
  shardListing,
} from '@twinstream/pipeline-status';
import { kinesisTransport } from '@twinstream/stream-producer';
import { dynamoDbJobStore } from '../replay/job-store.ts';
import { findMapping } from '../replay/projector-mapping.ts';
import { isPauseHeld, type ReplayJob } from '../replay/replay-job.ts';
import type { OperationsServices } from '../services.ts';
import { retryThrottled } from '../shard-reads.ts';

export interface ShardStatus {
  readonly shardId: string;
  readonly state: 'OPEN' | 'CLOSED';
  readonly parents: readonly string[];
  /** The projector's checkpoint; null before the first. */
  readonly finishedThrough: string | null;
  /** Age of the first record after the checkpoint, in milliseconds; 0 where there is none. */
  readonly lagMs: number | null;
  /** Records after the checkpoint, as far as they were counted. */
  readonly lagRecords: number | null;
  /** True where there are more than were counted. */
  readonly isLagLarger: boolean;
  /** Over the last ten seconds; null where too few records were read to tell. */
  readonly recordsPerSecond: number | null;
}

export interface TableStatus {
  readonly table: string;
  readonly holds: 'events' | 'device-state';
  /** As DynamoDB says it; on AWS up to six hours old, and 0 until it has counted once. */
  readonly items: number;
  readonly bytes: number;
}

/** What has stopped the projector. */
export interface ProjectorStop {
  /** The event source mapping. */
  readonly mapping: string;
  /** The job that has stopped it; null where none says so. */
  readonly job: string | null;
  readonly purpose: 'repair' | 'promotion' | null;
  readonly pass: string | null;
  readonly since: string | null;
  /** True while somebody is at work who starts it again. */
  readonly isHeld: boolean;
}

/** A replay under way, as the query API shows it. */
export interface ReplayInProgress {
  readonly id: string;
  readonly target: Replay['target'];
  readonly step: string;
  readonly reason?: string;
  readonly startedTime: string;
  /** The last sign of life. */
  readonly updatedTime: string;
  readonly entries: Replay['entries'];
}

type Replay = NonNullable<PipelineReading['replays']>[number];

export interface OperationsStatus {
  readonly time: string;
  readonly stream: string;
  readonly retentionHours: number;
  readonly generation: string;
  /** State of the event source mapping that feeds the projector; null where there is none, or Lambda does not say. */
  readonly projector: string | null;
  /** Why the projector is paused; null where it is not, or where its state is unknown. */
  readonly projectorStop: ProjectorStop | null;
  /** State of the mapping that feeds the archiver, as `projector`. */
  readonly archiver: string | null;
  /** The archiver's mapping where it is disabled, which no tool of these does. */
  readonly archiverStop: Pick<ProjectorStop, 'mapping'> | null;
  readonly shards: readonly ShardStatus[];
  readonly quarantinedEntries: number;
  readonly archiveLastDelivery: string | null;
  /** Replays that somebody is at work on. */
  readonly replays: readonly ReplayInProgress[];
  readonly tables: readonly TableStatus[];
}

/** One look at everything, of three reads a shard. A shard that cannot be read fails it. */
export async function readStatus(
  services: OperationsServices,
  signal: AbortSignal,
): Promise<OperationsStatus> {
  const { clock, dynamoDb, configuration } = services;
  const { projectorFunction, archiverFunction } = configuration;
  const [pipeline, generation, projector, archiver] = await Promise.all([
    pipelineReading(services, signal),
    services.generation(signal),
    mappingOf(services, projectorFunction, signal),
    mappingOf(services, archiverFunction, signal),
  ]);
  const { lastDeliveryMs, replays = [] } = pipeline;
  return {
    time: isoText(clock.now()),
    stream: pipeline.streamName,
    retentionHours: pipeline.retentionHours,
    generation: generation.id,
    projector: projector?.State ?? null,
    projectorStop: projector === undefined ? null : await stopOf(services, projector, signal),
    archiver: archiver?.State ?? null,
    archiverStop: isStopped(archiver?.State) ? { mapping: archiver?.UUID ?? '' } : null,
    shards: pipeline.shards.map(({ lagRecords, ...shard }) => ({
      ...shard,
      lagRecords: lagRecords?.count ?? null,
      isLagLarger: lagRecords?.hasMore ?? false,
    })),
    quarantinedEntries: pipeline.quarantinedEntries,
    archiveLastDelivery: lastDeliveryMs === undefined ? null : isoText(lastDeliveryMs),
    replays: replays.map(({ startedMs, updatedMs, ...replay }) => ({
      ...replay,
      startedTime: isoText(startedMs),
      updatedTime: isoText(updatedMs),
    })),
    tables: await Promise.all([
      tableStatus(dynamoDb, generation.eventsTable, 'events', signal),
      tableStatus(dynamoDb, generation.deviceStateTable, 'device-state', signal),
    ]),
  };
}

/** Reads what the query API reads, in one thorough look. */
function pipelineReading(services: OperationsServices, signal: AbortSignal): Promise<PipelineReading> {
  const { configuration, clock, logger, kinesis, dynamoDb, s3, quarantine } = services;
  const { streamName, archiveBucket, operationsTable } = configuration;
  const sources = {
    streamName,
    stream: kinesisStreamReader({
      client: kinesis,
      streamName,
      shards: shardListing(kinesisTransport({ streamName, client: kinesis })),
      clock,
      isThorough: true,
      retry: (call) => retryThrottled({ clock }, signal, call),
    }),
    progress: services.shardProgress,
    quarantine: quarantineCounter({ store: quarantine, clock }),
    archive: s3ArchiveReader({ client: s3, bucket: archiveBucket, clock }),
    replays: dynamoDbReplays({ client: dynamoDb, tableName: operationsTable, clock, logger }),
    clock,
    onShardFailure: (_: string, error: unknown) => {
      throw error;
    },
  };
  return readPipeline(sources, signal);
}

/** A role that may not ask Lambda still sees everything else. */
async function mappingOf(
  { lambda, configuration, logger }: OperationsServices,
  functionName: string,
  signal: AbortSignal,
): Promise<EventSourceMappingConfiguration | undefined> {
  const { streamName } = configuration;
  try {
    return await findMapping({ client: lambda, functionName, streamName }, signal);
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ error }, 'mapping not read');
    return undefined;
  }
}

/** A job writes its pause before the mapping is disabled, which may take so long; what was disabled later is not its doing. */
const PAUSE_TAKES_MS_MAX = 25 * 60_000;

function isStopped(state: string | undefined): boolean {
  return state === 'Disabled' || state === 'Disabling';
}

async function stopOf(
  { dynamoDb, configuration, clock }: OperationsServices,
  { State = '', UUID = '', LastModified }: EventSourceMappingConfiguration,
  signal: AbortSignal,
): Promise<ProjectorStop | null> {
  if (!isStopped(State)) return null;
  const jobs = await dynamoDbJobStore(dynamoDb, configuration.operationsTable).list(signal);
  return projectorStop(jobs, { mapping: UUID, changedMs: LastModified?.getTime(), nowMs: clock.now() });
}

/** Which of the jobs has stopped the projector, if any, and whether it still holds it. */
export function projectorStop(
  jobs: readonly ReplayJob[],
  { mapping, changedMs, nowMs }: StoppedMapping,
): ProjectorStop {
  const [last] = jobs
    .filter(
      ({ pause }) => pause !== undefined && (changedMs ?? pause.since) - pause.since < PAUSE_TAKES_MS_MAX,
    )
    .sort((a, b) => (b.pause?.since ?? 0) - (a.pause?.since ?? 0));
  return {
    mapping,
    job: last?.id ?? null,
    purpose: last?.pause?.purpose ?? null,
    pass: last?.pass ?? null,
    since: last?.pause === undefined ? null : isoText(last.pause.since),
    isHeld: last !== undefined && isPauseHeld(last, nowMs),
  };
}

export interface StoppedMapping {
  readonly mapping: string;
  /** When its state last changed, milliseconds since 1970; undefined where that is not known. */
  readonly changedMs: number | undefined;
  readonly nowMs: number;
}

async function tableStatus(
  client: DynamoDBClient,
  table: string,
  holds: TableStatus['holds'],
  signal: AbortSignal,
): Promise<TableStatus> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }), {
    abortSignal: signal,
  });
  return { table, holds, items: Table?.ItemCount ?? 0, bytes: Table?.TableSizeBytes ?? 0 };
}
