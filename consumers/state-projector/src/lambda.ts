import { batchedItems, dynamoDbClient, fastRequests } from '@twinstream/aws/dynamodb';
import { readS3Text, s3Client } from '@twinstream/aws/s3';
import { type EntryDecoder, ownFormatDecoder } from '@twinstream/device-model';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable, dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { s3Quarantine } from '@twinstream/quarantine';
import { createLogger, systemClock } from '@twinstream/runtime';
import type { KinesisLambdaEvent, LambdaContext } from '@twinstream/stream-model';
import { followGeneration, perGeneration } from '@twinstream/table-generation';
import { embeddedMetrics } from './batch-summary.ts';
import { projectorConfiguration } from './configuration.ts';
import { createProjector } from './handler.ts';

const configuration = projectorConfiguration(process.env);
const dynamoDb = dynamoDbClient();
const requests = fastRequests(dynamoDb);
const s3 = s3Client();
const decoder = await openDecoder(configuration.mapping);
const logger = createLogger('state-projector', configuration.logLevel);
const items = batchedItems(requests, { measure: true, logger });

const generation = followGeneration({
  client: dynamoDb,
  operationsTable: configuration.operationsTable,
  configured: configuration.tables,
});
/** Heads of chains are good for the tables they were read from alone: other tables, another projector. */
const projector = perGeneration(generation, ({ eventsTable, deviceStateTable }) =>
  createProjector(
    {
      decoder,
      eventStore: dynamoDbEventStore(dynamoDb, { tableName: eventsTable, items }),
      latestState: dynamoDbLatestStateTable(dynamoDb, { tableName: deviceStateTable, items }),
      shardProgress: dynamoDbShardProgressTable(dynamoDb, {
        tableName: configuration.shardProgressTable,
        requests,
      }),
      quarantine: s3Quarantine({ client: s3, bucket: configuration.archiveBucket }),
      clock: systemClock,
      logger,
      report: (summary) => logger.info(embeddedMetrics(summary, Date.now()), 'batch'),
    },
    configuration.options,
  ),
);

export const handler = async (event: KinesisLambdaEvent, context: LambdaContext) => {
  const project = await projector();
  return project(event, {
    requestId: context.awsRequestId,
    remainingMs: () => context.getRemainingTimeInMillis(),
  });
};

/** The mapping language is loaded where a mapping is in use alone: a cold start without one does not pay for it. */
async function openDecoder(places: string | undefined): Promise<EntryDecoder> {
  if (places === undefined) return ownFormatDecoder;
  const { mappingPlaces, openMappings } = await import('@twinstream/payload-mapping');
  return openMappings(mappingPlaces(places), { readObject: (url) => readS3Text(s3, url) });
}
