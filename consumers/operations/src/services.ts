import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import { cloudWatchClient, snsClient } from '@twinstream/aws/alarms';
import { batchedItems, dynamoDbClient, fastRequests } from '@twinstream/aws/dynamodb';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { lambdaClient } from '@twinstream/aws/lambda';
import { readS3Text, s3Client } from '@twinstream/aws/s3';
import { callerPath } from '@twinstream/command-line';
import type { EntryDecoder } from '@twinstream/device-model';
import { type AuditableEventStore, dynamoDbEventStore } from '@twinstream/event-store';
import {
  dynamoDbLatestStateTable,
  dynamoDbShardProgressTable,
  type RepairableLatestState,
  type ShardProgressTable,
} from '@twinstream/latest-state';
import { mappingPlaces, openMappingVersions } from '@twinstream/payload-mapping';
import { NAMES, PAGE_WRITING, PAGES_PER_SNAPSHOT_MAX, type PageWriting } from '@twinstream/pipeline-settings';
import { type ResolvableQuarantine, s3Quarantine } from '@twinstream/quarantine';
import {
  type Clock,
  createLogger,
  type Environment,
  type Logger,
  readConfiguration,
  type ServiceName,
  type Target,
} from '@twinstream/runtime';
import {
  configuredGeneration,
  readGeneration,
  type TableGeneration,
  type TableNames,
} from '@twinstream/table-generation';
import { type AnnotationStore, dynamoDbAnnotationStore } from '@twinstream/table-generation/annotations';
import { z } from 'zod';

const SCHEMA = z.object({
  TWINSTREAM_STREAM: z.string().default(NAMES.stream),
  TWINSTREAM_EVENTS_TABLE: z.string().default(NAMES.eventsTable),
  TWINSTREAM_DEVICE_STATE_TABLE: z.string().default(NAMES.deviceStateTable),
  TWINSTREAM_SHARD_PROGRESS_TABLE: z.string().default(NAMES.shardProgressTable),
  TWINSTREAM_OPERATIONS_TABLE: z.string().default(NAMES.operationsTable),
  TWINSTREAM_ARCHIVE_BUCKET: z.string().default(NAMES.archiveBucket),
  TWINSTREAM_MAPPING: z.string().default(''),
  TWINSTREAM_PROJECTOR_FUNCTION: z.string().default(NAMES.projectorFunction),
  TWINSTREAM_ARCHIVER_FUNCTION: z.string().default(NAMES.archiverFunction),
  TWINSTREAM_IOT_SQL: z.string().default(''),
  TWINSTREAM_FRESH_TABLES_PREFIX: z.string().default(''),
  TWINSTREAM_PAGES_PER_SNAPSHOT: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGES_PER_SNAPSHOT_MAX)
    .default(PAGE_WRITING.pagesPerSnapshot),
});

/** What the commands work on, and how the projector lays out pages, from the environment or from the pipeline that runs beside. */
export function operationsConfiguration(environment: Environment) {
  const values = readConfiguration(SCHEMA, environment);
  const pageWriting: PageWriting = {
    ...PAGE_WRITING,
    pagesPerSnapshot: values.TWINSTREAM_PAGES_PER_SNAPSHOT,
  };
  return {
    streamName: values.TWINSTREAM_STREAM,
    tables: {
      eventsTable: values.TWINSTREAM_EVENTS_TABLE,
      deviceStateTable: values.TWINSTREAM_DEVICE_STATE_TABLE,
    },
    shardProgressTable: values.TWINSTREAM_SHARD_PROGRESS_TABLE,
    operationsTable: values.TWINSTREAM_OPERATIONS_TABLE,
    archiveBucket: values.TWINSTREAM_ARCHIVE_BUCKET,
    projectorFunction: values.TWINSTREAM_PROJECTOR_FUNCTION,
    archiverFunction: values.TWINSTREAM_ARCHIVER_FUNCTION,
    /** SQL of the IoT rule; empty where it is unknown. */
    iotSql: values.TWINSTREAM_IOT_SQL,
    /** Places of the mapping documents that the projector uses, separated by commas. */
    mapping: values.TWINSTREAM_MAPPING,
    /** What the names of tables begin with that a replay builds. */
    freshTablesPrefix: values.TWINSTREAM_FRESH_TABLES_PREFIX,
    pageWriting,
  };
}
export type OperationsConfiguration = ReturnType<typeof operationsConfiguration>;

/** What the commands talk to. */
export const SERVICES: readonly ServiceName[] = ['kinesis', 'dynamodb', 'lambda', 's3'];

/** What the commands touch, by kind, for people. */
export function namesOf(configuration: OperationsConfiguration): Readonly<Record<string, string>> {
  const { tables, shardProgressTable, operationsTable, ...rest } = configuration;
  return {
    stream: rest.streamName,
    tables: [tables.eventsTable, tables.deviceStateTable, shardProgressTable, operationsTable].join(' '),
    bucket: rest.archiveBucket,
    function: rest.projectorFunction,
  };
}

/** History and state of one set of tables. */
export interface Stores {
  readonly eventStore: AuditableEventStore;
  readonly latestState: RepairableLatestState;
}

/** The tables in use, and the id of their generation: it changes with every switch. */
export interface TablesInUse extends Stores {
  readonly generation: string;
}

/** Of the flag that replaces the projector's mappings. */
export const MAPPING_HELP =
  'mapping documents to decode with, separated by commas; default: those of the projector (TWINSTREAM_MAPPING)';

export type MappingVersions = readonly [EntryDecoder, ...EntryDecoder[]];

/** See {@link OperationsServices.decoders}. */
export function decodersOf(
  files: string | undefined,
  folder: string,
  { mapping }: Pick<OperationsConfiguration, 'mapping'>,
  s3: S3Client,
): Promise<MappingVersions> {
  const places = files === undefined ? mapping : mappingIn(folder, files);
  return openMappingVersions(mappingPlaces(places), { readObject: (url) => readS3Text(s3, url) });
}

/** The same places, each file with its whole path: a job goes on from another folder, too. */
export function mappingIn(folder: string, files: string): string {
  return mappingPlaces(files)
    .map((place) => (place.startsWith('s3://') ? place : callerPath(place, folder)))
    .join(',');
}

export interface AlarmClients {
  readonly cloudWatch: CloudWatchClient;
  readonly sns: SNSClient;
}

/** Everything that the commands reach. */
export interface OperationsServices {
  readonly configuration: OperationsConfiguration;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dynamoDb: DynamoDBClient;
  readonly kinesis: KinesisClient;
  readonly lambda: LambdaClient;
  readonly s3: S3Client;
  /** Undefined where the target has neither alarms nor topics, as a local pipeline. */
  readonly alarms: AlarmClients | undefined;
  readonly quarantine: ResolvableQuarantine;
  /** What operators said of devices, beside the stream. */
  readonly annotations: AnnotationStore;
  readonly shardProgress: ShardProgressTable;
  /**
   * Makes events of records: with the mappings of these files, separated by commas and relative to this folder; where none are
   * named, with those of the projector. The newest versions first, then earlier ones. Throws `MAPPING_UNREADABLE` or
   * `INVALID_MAPPING`.
   */
  decoders(files: string | undefined, folder: string): Promise<MappingVersions>;
  /** The tables in use now. */
  generation(signal?: AbortSignal): Promise<TableGeneration>;
  stores(tables: TableNames): Stores;
  close(): void;
}

/** Reads which tables are in use now. Consistent. */
export async function readTablesInUse(
  services: OperationsServices,
  signal: AbortSignal,
): Promise<TablesInUse> {
  const generation = await services.generation(signal);
  return { ...services.stores(generation), generation: generation.id };
}

/** The services over the AWS SDK, whose endpoints come from its own environment variables. */
export function awsServices(
  configuration: OperationsConfiguration,
  clock: Clock,
  { name }: Pick<Target, 'name'>,
): OperationsServices {
  const dynamoDb = dynamoDbClient();
  const kinesis = kinesisClient();
  const lambda = lambdaClient();
  const s3 = s3Client();
  // Beside a local pipeline these would ask AWS itself.
  const alarms = name === 'aws' ? { cloudWatch: cloudWatchClient(), sns: snsClient() } : undefined;
  const { tables, operationsTable, shardProgressTable: tableName, archiveBucket: bucket } = configuration;
  const logger = createLogger('operations', 'warn');
  const items = batchedItems(fastRequests(dynamoDb), { logger });
  return {
    configuration,
    clock,
    logger,
    dynamoDb,
    kinesis,
    lambda,
    s3,
    alarms,
    quarantine: s3Quarantine({ client: s3, bucket }),
    annotations: dynamoDbAnnotationStore(dynamoDb, operationsTable, logger),
    shardProgress: dynamoDbShardProgressTable(dynamoDb, { tableName }),
    generation: async (signal) =>
      (await readGeneration(dynamoDb, operationsTable, signal)) ?? configuredGeneration(tables),
    decoders: (files, folder) => decodersOf(files, folder, configuration, s3),
    stores: ({ eventsTable, deviceStateTable }) => ({
      eventStore: dynamoDbEventStore(dynamoDb, { tableName: eventsTable, items }),
      latestState: dynamoDbLatestStateTable(dynamoDb, { tableName: deviceStateTable, items }),
    }),
    close: () => {
      for (const client of [dynamoDb, kinesis, lambda, s3, ...Object.values(alarms ?? {})]) client.destroy();
    },
  };
}
