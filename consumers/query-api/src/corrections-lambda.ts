import { randomUUID } from 'node:crypto';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable } from '@twinstream/latest-state';
import { createLogger, systemClock } from '@twinstream/runtime';
import { kinesisTransport } from '@twinstream/stream-producer';
import {
  followGeneration,
  followingDeviceStates,
  followingEventStore,
  perGeneration,
} from '@twinstream/table-generation';
import { dynamoDbAnnotationStore } from '@twinstream/table-generation/annotations';
import { handle } from 'hono/aws-lambda';
import { queryApiConfiguration } from './configuration.ts';
import { httpApp } from './http-app.ts';
import { createIdempotencyKeys } from './idempotency-keys.ts';
import { lambdaAccess } from './lambda-access.ts';
import { acknowledgementEndpoint, retirementEndpoint } from './routes/annotations.ts';
import { correctionsEndpoint } from './routes/corrections.ts';
import type { AnnotationServices, CorrectionServices } from './services.ts';

const configuration = queryApiConfiguration(process.env);
const logger = createLogger('corrections', configuration.logLevel);
const client = dynamoDbClient();
const generation = followGeneration({
  client,
  operationsTable: configuration.operationsTable,
  configured: configuration,
});
const services: CorrectionServices & AnnotationServices = {
  deviceStates: followingDeviceStates(
    perGeneration(generation, ({ deviceStateTable: tableName }) =>
      dynamoDbLatestStateTable(client, { tableName }),
    ),
  ),
  events: followingEventStore(
    perGeneration(generation, ({ eventsTable: tableName }) => dynamoDbEventStore(client, { tableName })),
  ),
  correctionKeys: createIdempotencyKeys({ clock: systemClock }),
  // One try a call: the caller repeats a correction under the same key.
  stream: kinesisTransport({
    streamName: configuration.streamName,
    client: kinesisClient({ maxAttempts: 1 }),
  }),
  ...(configuration.operationsTable === undefined
    ? {}
    : { annotations: dynamoDbAnnotationStore(client, configuration.operationsTable, logger) }),
  gapsAgeOutMs: configuration.gapsAgeOutMs,
  liveness: configuration.liveness,
  clock: systemClock,
  logger,
  newId: randomUUID,
};

/** Puts corrections on the stream, and keeps what operators say of devices, behind the same HTTP API and authorizer as the reads. */
export const handler = handle(
  httpApp([correctionsEndpoint, acknowledgementEndpoint, retirementEndpoint], services, lambdaAccess),
);
