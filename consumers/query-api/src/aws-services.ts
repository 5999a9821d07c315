import { randomUUID } from 'node:crypto';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { s3Client } from '@twinstream/aws/s3';
import { type EntryDecoder, ownFormatDecoder } from '@twinstream/device-model';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable, dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { SAVED_VIEW_KEY } from '@twinstream/pipeline-settings';
import {
  createProcessedTimes,
  dynamoDbReplays,
  kinesisStreamReader,
  quarantineCounter,
  s3ArchiveReader,
  shardListing,
} from '@twinstream/pipeline-status';
import { createLogger, systemClock } from '@twinstream/runtime';
import { kinesisTransport } from '@twinstream/stream-producer';
import {
  followGeneration,
  followingDeviceStates,
  followingEventStore,
  perGeneration,
} from '@twinstream/table-generation';
import { dynamoDbAnnotationStore } from '@twinstream/table-generation/annotations';
import { awsQuarantine } from './aws-quarantine.ts';
import type { QueryApiConfiguration } from './configuration.ts';
import { createFleetView } from './fleet/create-fleet-view.ts';
import { createKeptLists } from './fleet/kept-lists.ts';
import { kinesisChangeFeed } from './fleet/kinesis-change-feed.ts';
import { s3SavedView } from './fleet/saved/saved-view-store.ts';
import { createUpdateHub } from './fleet/update-hub.ts';
import { createIdempotencyKeys } from './idempotency-keys.ts';
import { followedStreamReader } from './pipeline/followed-stream-reader.ts';
import { createPipelineReader } from './pipeline/pipeline-reader.ts';
import { createShardActivity } from './pipeline/shard-activity.ts';
import type { QueryApiServices } from './services.ts';
import { coalescedReads } from './states/coalesced-reads.ts';
import { dynamoDbStateBatch, STATE_BATCH_MAX } from './states/dynamodb-state-batch.ts';

export interface AwsServicesOptions {
  /**
   * True where one process lives on and can hold streams open: it follows the stream for changes. False on Lambda, where the
   * fleet is read from the table and an update stream ends after what there is.
   */
  readonly isLongLived: boolean;
  /** As the projector decodes. Default: events of this project's own format alone. */
  readonly decoder?: EntryDecoder;
}

/** Without hints every refresh reads the whole table, so on Lambda it is done less often, and only for a request. */
const LAMBDA_FRESH_MS = 5_000;
const HOUR_MS = 3_600_000;

/** The services of the API over the AWS SDK, whose endpoints come from its own environment variables. */
export function awsServices(
  configuration: QueryApiConfiguration,
  { isLongLived, decoder = ownFormatDecoder }: AwsServicesOptions,
): QueryApiServices & { close(): Promise<void> } {
  const { streamName, archiveBucket: bucket, liveness } = configuration;
  const clock = systemClock;
  const logger = createLogger('query-api', configuration.logLevel);
  const dynamoDb = dynamoDbClient();
  const s3 = s3Client();
  // One try a call: a reader of the stream reads again soon, and leaves its reads to the consumers.
  const kinesis = kinesisClient({ maxAttempts: 1 });
  const { operationsTable } = configuration;
  const generation = followGeneration({
    client: dynamoDb,
    operationsTable,
    configured: configuration,
    clock,
  });
  const table = followingDeviceStates(
    perGeneration(generation, ({ deviceStateTable: tableName }) => {
      const { list } = dynamoDbLatestStateTable(dynamoDb, { tableName });
      const { read } = coalescedReads({
        readBatch: dynamoDbStateBatch({ client: dynamoDb, tableName, clock, random: Math.random }),
        batchMax: STATE_BATCH_MAX,
      });
      return { list, read };
    }),
  );
  const events = followingEventStore(
    perGeneration(generation, ({ eventsTable: tableName }) => dynamoDbEventStore(dynamoDb, { tableName })),
  );
  const progress = dynamoDbShardProgressTable(dynamoDb, { tableName: configuration.shardProgressTable });
  const stream = kinesisTransport({ streamName, client: kinesis });
  const shards = shardListing(stream);
  const activity = createShardActivity(clock);
  const direct = kinesisStreamReader({ client: kinesis, streamName, shards, clock });
  const followed = isLongLived ? followedStreamReader({ activity, direct }) : direct;
  const processed = createProcessedTimes({
    streamName,
    shards,
    stream: followed,
    progress,
    clock,
    onFailure: (shardId, error) => logger.info({ shardId, error }, 'processed time not read'),
    ...(isLongLived ? {} : { freshMs: LAMBDA_FRESH_MS }),
  });
  const annotations =
    operationsTable === undefined ? undefined : dynamoDbAnnotationStore(dynamoDb, operationsTable, logger);
  const fleet = createFleetView({
    table,
    progress,
    streamName,
    generation: async () => (await generation()).id,
    ...(isLongLived
      ? {
          feed: activity.observe(
            kinesisChangeFeed({ client: kinesis, streamName, shards, decoder, clock, logger }),
          ),
          saved: {
            store: s3SavedView({ client: s3, bucket, key: SAVED_VIEW_KEY }),
            retentionMs: async () => (await direct.describe()).retentionHours * HOUR_MS,
            everyMs: configuration.saveEveryMs,
            random: Math.random,
          },
        }
      : { freshMs: LAMBDA_FRESH_MS, idleMs: LAMBDA_FRESH_MS }),
    liveness,
    annotations,
    gapsAgeOutMs: configuration.gapsAgeOutMs,
    processed,
    clock,
    logger,
  });
  const dead = awsQuarantine(configuration, { dynamoDb, s3, decoder, clock, logger });
  return {
    deviceStates: table,
    events,
    fleet,
    lists: createKeptLists({ clock, newId: randomUUID }),
    updates: createUpdateHub({ fleet, clock, ...(isLongLived ? {} : { holdMs: 0 }) }),
    pipeline: createPipelineReader({
      ...(isLongLived ? { keepFollowing: () => fleet.stayAwake() } : {}),
      streamName,
      stream: followed,
      progress,
      quarantine: quarantineCounter({ store: dead.quarantine, clock }),
      archive: s3ArchiveReader({ client: s3, bucket, clock }),
      ...(operationsTable === undefined
        ? {}
        : { replays: dynamoDbReplays({ client: dynamoDb, tableName: operationsTable, clock, logger }) }),
      clock,
      logger,
    }),
    quarantine: dead.quarantine,
    redriving: dead.redriving,
    stream,
    processed,
    // On Lambda an authorizer has let the caller in.
    identifiesCallers: !isLongLived,
    correctionKeys: createIdempotencyKeys({ clock }),
    annotations,
    gapsAgeOutMs: configuration.gapsAgeOutMs,
    liveness,
    clock,
    logger,
    newId: randomUUID,
    close: async () => {
      await fleet.close();
      for (const client of [dynamoDb, s3, kinesis]) client.destroy();
    },
  };
}
