import {
  CreateTableCommand,
  type CreateTableCommandInput,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import {
  CreateDeliveryStreamCommand,
  ResourceInUseException as DeliveryStreamInUseException,
} from '@aws-sdk/client-firehose';
import {
  CreateStreamCommand,
  IncreaseStreamRetentionPeriodCommand,
  ResourceInUseException as StreamInUseException,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { firehoseClient } from '@twinstream/aws/firehose';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { DEVICE_STATE_TABLE_DEFINITION, SHARD_PROGRESS_TABLE_DEFINITION } from '@twinstream/latest-state';
import { ARCHIVE_PREFIX, NAMES } from '@twinstream/pipeline-settings';
import { RETENTION_HOURS } from '@twinstream/stream-model';
import { OPERATIONS_TABLE_DEFINITION } from '@twinstream/table-generation';
import { type EmulatorUrls, LOCAL_CREDENTIALS, LOCAL_REGION } from './names.ts';

const WAIT_S = 30;
/** Short, so that a person sees archive objects soon. */
const ARCHIVE_BUFFERING = { IntervalInSeconds: 5, SizeInMBs: 5 };

/** Creates the stream and the tables that are not there yet. What is there stays as it is, so that a kept folder starts again. */
export async function provision(
  urls: Pick<EmulatorUrls, 'kinesis' | 'dynamoDb' | 'firehose'>,
  shardCount: number,
): Promise<void> {
  await Promise.all([
    createStream(urls.kinesis, shardCount),
    createTables(urls.dynamoDb),
    createDeliveryStream(urls.firehose),
  ]);
}

async function createStream(endpoint: string, shardCount: number): Promise<void> {
  const client = kinesisClient({ endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  const StreamName = NAMES.stream;
  try {
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: shardCount }));
  } catch (error) {
    if (!(error instanceof StreamInUseException)) throw error;
    return;
  } finally {
    await waitUntilStreamExists({ client, maxWaitTime: WAIT_S, minDelay: 0.1 }, { StreamName });
  }
  // A new stream keeps 24 hours; the project's keeps seven days.
  await client.send(
    new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: RETENTION_HOURS }),
  );
  client.destroy();
}

async function createTables(endpoint: string): Promise<void> {
  const client = dynamoDbClient({ endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  const tables: readonly CreateTableCommandInput[] = [
    { ...EVENTS_TABLE_DEFINITION, TableName: NAMES.eventsTable },
    { ...DEVICE_STATE_TABLE_DEFINITION, TableName: NAMES.deviceStateTable },
    { ...SHARD_PROGRESS_TABLE_DEFINITION, TableName: NAMES.shardProgressTable },
    { ...OPERATIONS_TABLE_DEFINITION, TableName: NAMES.operationsTable },
  ];
  await Promise.all(
    tables.map(async (table) => {
      try {
        await client.send(new CreateTableCommand(table));
      } catch (error) {
        if (!(error instanceof ResourceInUseException)) throw error;
      }
      await waitUntilTableExists(
        { client, maxWaitTime: WAIT_S, minDelay: 0.1 },
        { TableName: table.TableName },
      );
    }),
  );
  client.destroy();
}

async function createDeliveryStream(endpoint: string): Promise<void> {
  const client = firehoseClient({ endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  try {
    await client.send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName: NAMES.deliveryStream,
        ExtendedS3DestinationConfiguration: {
          RoleARN: 'arn:aws:iam::000000000000:role/firehose',
          BucketARN: `arn:aws:s3:::${NAMES.archiveBucket}`,
          Prefix: `${ARCHIVE_PREFIX}year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/`,
          ErrorOutputPrefix: 'archive-errors/!{firehose:error-output-type}/',
          CompressionFormat: 'GZIP',
          BufferingHints: ARCHIVE_BUFFERING,
        },
      }),
    );
  } catch (error) {
    if (!(error instanceof DeliveryStreamInUseException)) throw error;
  } finally {
    client.destroy();
  }
}
