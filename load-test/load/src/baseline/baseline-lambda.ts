import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createLogger } from '@twinstream/runtime';
import type { BatchAnswer, KinesisLambdaEvent, LambdaContext } from '@twinstream/stream-model';
import { PROJECTOR } from '../scenarios.ts';
import { createBaselineProjector } from './baseline-projector.ts';

// The baseline handler as a function, in the place of the projector and under its name, with the SDK's client as it comes. Its summary has the fields that
// the projector's has, as far as it knows them.

const logger = createLogger(PROJECTOR);
let writeUnits = 0;
const project = createBaselineProjector(new DynamoDBClient(), {
  eventsTable: process.env.TWINSTREAM_EVENTS_TABLE ?? 'events',
  deviceStateTable: process.env.TWINSTREAM_DEVICE_STATE_TABLE ?? 'device-state',
  onWriteUnits: (units) => {
    writeUnits += units;
  },
});

export const handler = async (
  event: KinesisLambdaEvent,
  { awsRequestId }: LambdaContext,
): Promise<BatchAnswer> => {
  const before = writeUnits;
  const startedMs = performance.now();
  const answer: BatchAnswer = await project(event);
  // What follows the first failure comes again.
  const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  const firstFailed = event.Records.findIndex(({ kinesis }) => failed.has(kinesis.sequenceNumber));
  logger.info(
    {
      requestId: awsRequestId,
      records: event.Records.length,
      applied: firstFailed < 0 ? event.Records.length : firstFailed,
      writeUnits: writeUnits - before,
      durationMs: performance.now() - startedMs,
    },
    'batch',
  );
  return answer;
};
