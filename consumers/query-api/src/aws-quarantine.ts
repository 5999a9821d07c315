import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import { batchedItems, fastRequests } from '@twinstream/aws/dynamodb';
import type { EntryDecoder } from '@twinstream/device-model';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable, dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { s3Quarantine } from '@twinstream/quarantine';
import type { Clock, Logger } from '@twinstream/runtime';
import { configuredGeneration, readGeneration } from '@twinstream/table-generation';
import type { QueryApiConfiguration } from './configuration.ts';
import type { QuarantineServices } from './services.ts';

export interface AwsQuarantineOptions {
  readonly dynamoDb: DynamoDBClient;
  readonly s3: S3Client;
  readonly decoder: EntryDecoder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The quarantine in S3, and a redrive from it into the tables in use. */
export function awsQuarantine(
  configuration: QueryApiConfiguration,
  { dynamoDb, s3, decoder, clock, logger }: AwsQuarantineOptions,
): QuarantineServices {
  const {
    archiveBucket: bucket,
    operationsTable,
    shardProgressTable,
    streamName,
    pageWriting,
  } = configuration;
  const items = batchedItems(fastRequests(dynamoDb), { logger });
  return {
    quarantine: s3Quarantine({ client: s3, bucket }),
    redriving: {
      streamName,
      pageWriting,
      decoder,
      shardProgress: dynamoDbShardProgressTable(dynamoDb, { tableName: shardProgressTable }),
      tablesInUse: async () => {
        const { id, eventsTable, deviceStateTable } =
          (operationsTable === undefined ? undefined : await readGeneration(dynamoDb, operationsTable)) ??
          configuredGeneration(configuration);
        return {
          generation: id,
          eventStore: dynamoDbEventStore(dynamoDb, { tableName: eventsTable, items }),
          latestState: dynamoDbLatestStateTable(dynamoDb, { tableName: deviceStateTable, items }),
        };
      },
    },
    clock,
    logger,
  };
}
