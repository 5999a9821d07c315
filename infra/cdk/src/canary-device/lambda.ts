import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { deviceId } from '@twinstream/device-model';
import { dynamoDbLatestStateTable } from '@twinstream/latest-state';
import { createLogger, readConfiguration, systemClock } from '@twinstream/runtime';
import { followGeneration, perGeneration } from '@twinstream/table-generation';
import { z } from 'zod';
import { createCanary } from './handler.ts';

const NAMES = readConfiguration(
  z.object({
    TWINSTREAM_CANARY_DEVICE: z.string('the id of the canary device'),
    TWINSTREAM_STREAM: z.string('the name of the stream'),
    TWINSTREAM_EVENTS_TABLE: z.string('the name of the table of events'),
    TWINSTREAM_DEVICE_STATE_TABLE: z.string('the name of the table of states'),
    TWINSTREAM_OPERATIONS_TABLE: z.string('the name of the table of operations'),
  }),
  process.env,
);
const dynamoDb = dynamoDbClient();
const kinesis = kinesisClient();
const generation = followGeneration({
  client: dynamoDb,
  operationsTable: NAMES.TWINSTREAM_OPERATIONS_TABLE,
  configured: {
    eventsTable: NAMES.TWINSTREAM_EVENTS_TABLE,
    deviceStateTable: NAMES.TWINSTREAM_DEVICE_STATE_TABLE,
  },
});
const states = perGeneration(generation, ({ deviceStateTable: tableName }) =>
  dynamoDbLatestStateTable(dynamoDb, { tableName }),
);

export const handler = createCanary({
  deviceId: deviceId(NAMES.TWINSTREAM_CANARY_DEVICE),
  streamName: NAMES.TWINSTREAM_STREAM,
  states: { read: async (id, options) => (await states()).read(id, options) },
  put: async ({ partitionKey, data }) => {
    const record = { StreamName: NAMES.TWINSTREAM_STREAM, PartitionKey: partitionKey, Data: data };
    await kinesis.send(new PutRecordCommand(record));
  },
  clock: systemClock,
  logger: createLogger('canary-device', 'info'),
});
