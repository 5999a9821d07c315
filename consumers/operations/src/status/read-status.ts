import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import { type EventSourceMappingConfiguration, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import type { ShardProgress } from '@twinstream/latest-state';
import { GET_RECORDS_RECORDS_MAX, type Shard } from '@twinstream/stream-model';
import { dynamoDbJobStore } from '../replay/job-store.ts';
import { isPauseHeld } from '../replay/jobs.ts';
import type { ReplayJob } from '../replay/replay-job.ts';
import type { OperationsServices } from '../services.ts';
import { listShards, readShard, type StreamAccess, shardIterator } from '../stream/shard-reads.ts';
import { archiveFreshness } from './archive-freshness.ts';

export interface ShardStatus {
  readonly shardId: string;
  readonly state: 'OPEN' | 'CLOSED';
  readonly parents: readonly string[];
  /** Last record that the projector has finished; null before the first. */
  readonly finishedThrough: string | null;
  /** Age of the first record that is not finished, in milliseconds; 0 where there is none. */
  readonly lagMs: number;
  readonly lagRecords: number;
  /** True where there are more than were counted. */
  readonly isLagLarger: boolean;
  /** Over the last ten seconds. */
  readonly recordsPerSecond: number;
}

export interface TableStatus {
  readonly table: string;
  readonly holds: 'events' | 'device-state';
  /** As DynamoDB says it; on AWS up to six hours old. */
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

export interface OperationsStatus {
  readonly time: string;
  readonly stream: string;
  readonly retentionHours: number;
  readonly generation: string;
  /** State of the event source mapping that feeds the projector; null where there is none, or Lambda does not say. */
  readonly projector: string | null;
  /** Why the projector stands still; null where it does not, or where nobody knows whether it does. */
  readonly projectorStop: ProjectorStop | null;
  readonly shards: readonly ShardStatus[];
  readonly quarantinedEntries: number;
  readonly archiveLastDelivery: string | null;
  readonly tables: readonly TableStatus[];
}

const RATE_MS = 10_000;
/** Answers may be empty before the next record is reached. */
const SEARCH_READS_MAX = 8;

/** One look at everything, of three reads a shard. */
export async function readStatus(
  services: OperationsServices,
  signal: AbortSignal,
): Promise<OperationsStatus> {
  const { configuration, clock, kinesis, dynamoDb, s3 } = services;
  const { streamName, archiveBucket } = configuration;
  const stream: StreamAccess = { client: kinesis, streamName, clock };
  const [summary, shards, progress, generation, quarantinedEntries, delivered, projector] = await Promise.all(
    [
      kinesis.send(new DescribeStreamSummaryCommand({ StreamName: streamName }), { abortSignal: signal }),
      listShards(stream, signal),
      services.shardProgress.read(streamName, signal),
      services.generation(signal),
      countQuarantined(services, signal),
      archiveFreshness(s3, archiveBucket, signal),
      projectorState(services, signal),
    ],
  );
  const finished = new Map(progress.map((shard) => [shard.shardId, shard]));
  return {
    time: new Date(clock.now()).toISOString(),
    stream: streamName,
    retentionHours: summary.StreamDescriptionSummary?.RetentionPeriodHours ?? 0,
    generation: generation.id,
    projector: projector?.State ?? null,
    projectorStop: projector === undefined ? null : await stopOf(services, projector, signal),
    shards: await Promise.all(
      shards.map((shard) => shardStatus(stream, shard, finished.get(shard.shardId), signal)),
    ),
    quarantinedEntries,
    archiveLastDelivery: delivered === undefined ? null : new Date(delivered).toISOString(),
    tables: await Promise.all([
      tableStatus(dynamoDb, generation.eventsTable, 'events', signal),
      tableStatus(dynamoDb, generation.deviceStateTable, 'device-state', signal),
    ]),
  };
}

async function shardStatus(
  stream: StreamAccess,
  shard: Shard,
  progress: ShardProgress | undefined,
  signal: AbortSignal,
): Promise<ShardStatus> {
  const { shardId, isOpen, parentShardId, adjacentParentShardId } = shard;
  const lag = await lagOf(stream, shard, progress, signal);
  return {
    shardId,
    state: isOpen ? 'OPEN' : 'CLOSED',
    parents: [parentShardId, adjacentParentShardId].filter((parent) => parent !== undefined),
    finishedThrough: progress?.finishedThrough ?? null,
    ...lag,
    recordsPerSecond: isOpen ? await rateOf(stream, shard, signal) : 0,
  };
}

async function lagOf(
  stream: StreamAccess,
  { shardId }: Shard,
  progress: ShardProgress | undefined,
  signal: AbortSignal,
): Promise<Pick<ShardStatus, 'lagMs' | 'lagRecords' | 'isLagLarger'>> {
  let iterator = await shardIterator(
    stream,
    shardId,
    progress === undefined
      ? { from: 'beginning' }
      : { from: 'after', sequenceNumber: progress.finishedThrough },
    signal,
  );
  for (let reads = 0; reads < SEARCH_READS_MAX && iterator !== undefined; reads += 1) {
    const { records, next, behindMs } = await readShard(stream, iterator, GET_RECORDS_RECORDS_MAX, signal);
    const [first] = records;
    if (first !== undefined) {
      const lagMs = Math.max(0, stream.clock.now() - first.arrivalTime);
      return { lagMs, lagRecords: records.length, isLagLarger: behindMs > 0 };
    }
    if (behindMs === 0) break;
    iterator = next;
  }
  return { lagMs: 0, lagRecords: 0, isLagLarger: false };
}

async function rateOf(stream: StreamAccess, { shardId }: Shard, signal: AbortSignal): Promise<number> {
  const start = { from: 'time', timeMs: stream.clock.now() - RATE_MS } as const;
  const iterator = await shardIterator(stream, shardId, start, signal);
  if (iterator === undefined) return 0;
  const { records } = await readShard(stream, iterator, GET_RECORDS_RECORDS_MAX, signal);
  const [first, last] = [records[0], records.at(-1)];
  if (first === undefined || last === undefined) return 0;
  // A full answer reaches less far than the ten seconds.
  const spanMs = records.length < GET_RECORDS_RECORDS_MAX ? RATE_MS : last.arrivalTime - first.arrivalTime;
  return Math.round((records.length / Math.max(spanMs, 1)) * 1_000 * 100) / 100;
}

/** A role that may not ask Lambda still sees everything else. */
async function projectorState(
  { lambda, configuration, logger }: OperationsServices,
  signal: AbortSignal,
): Promise<EventSourceMappingConfiguration | undefined> {
  const { projectorFunction, streamName } = configuration;
  try {
    const command = new ListEventSourceMappingsCommand({ FunctionName: projectorFunction });
    const { EventSourceMappings = [] } = await lambda.send(command, { abortSignal: signal });
    const mapping = EventSourceMappings.find(({ EventSourceArn }) =>
      EventSourceArn?.endsWith(`:stream/${streamName}`),
    );
    return mapping;
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ error }, 'mapping not read');
    return undefined;
  }
}

/** A job writes its pause before the mapping is disabled, which may take so long; what was disabled later is not its doing. */
const PAUSE_TAKES_MS_MAX = 25 * 60_000;

async function stopOf(
  { dynamoDb, configuration, clock }: OperationsServices,
  { State = '', UUID = '', LastModified }: EventSourceMappingConfiguration,
  signal: AbortSignal,
): Promise<ProjectorStop | null> {
  if (State !== 'Disabled' && State !== 'Disabling') return null;
  const jobs = await dynamoDbJobStore(dynamoDb, configuration.operationsTable).list(signal);
  return projectorStop(jobs, { mapping: UUID, changedTime: LastModified?.getTime(), nowMs: clock.now() });
}

/** Which of the jobs has stopped the projector, if any, and whether it still holds it. */
export function projectorStop(
  jobs: readonly ReplayJob[],
  { mapping, changedTime, nowMs }: StoppedMapping,
): ProjectorStop {
  const [last] = jobs
    .filter(
      ({ pause }) => pause !== undefined && (changedTime ?? pause.since) - pause.since < PAUSE_TAKES_MS_MAX,
    )
    .sort((a, b) => (b.pause?.since ?? 0) - (a.pause?.since ?? 0));
  return {
    mapping,
    job: last?.id ?? null,
    purpose: last?.pause?.purpose ?? null,
    pass: last?.pass ?? null,
    since: last?.pause === undefined ? null : new Date(last.pause.since).toISOString(),
    isHeld: last !== undefined && isPauseHeld(last, nowMs),
  };
}

export interface StoppedMapping {
  readonly mapping: string;
  /** When its state last changed, milliseconds since 1970; undefined where that is not known. */
  readonly changedTime: number | undefined;
  readonly nowMs: number;
}

async function countQuarantined({ quarantine }: OperationsServices, signal: AbortSignal): Promise<number> {
  let entries = 0;
  for await (const { entryCount } of quarantine.list({ signal })) entries += entryCount;
  return entries;
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
