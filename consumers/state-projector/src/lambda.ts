import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable, dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { s3Quarantine } from '@twinstream/quarantine';
import { createLogger, dynamoDbClient, s3Client, systemClock } from '@twinstream/runtime';
import type { KinesisLambdaEvent, LambdaContext } from '@twinstream/stream-model';
import { embeddedMetrics } from './batch-summary.ts';
import { projectorConfiguration } from './configuration.ts';
import { createProjector } from './handler.ts';

const configuration = projectorConfiguration(process.env);
const dynamoDb = dynamoDbClient();
const logger = createLogger('state-projector', configuration.logLevel);

const project = createProjector(
  {
    eventStore: dynamoDbEventStore(dynamoDb, { tableName: configuration.eventsTable, measure: true }),
    latestState: dynamoDbLatestStateTable(dynamoDb, {
      tableName: configuration.deviceStateTable,
      measure: true,
    }),
    shardProgress: dynamoDbShardProgressTable(dynamoDb, { tableName: configuration.shardProgressTable }),
    quarantine: s3Quarantine({ client: s3Client(), bucket: configuration.archiveBucket }),
    clock: systemClock,
    logger,
    report: (summary) => logger.info(embeddedMetrics(summary, Date.now()), 'batch'),
  },
  configuration.options,
);

export const handler = (event: KinesisLambdaEvent, context: LambdaContext) =>
  project(event, {
    requestId: context.awsRequestId,
    remainingMs: () => context.getRemainingTimeInMillis(),
  });
