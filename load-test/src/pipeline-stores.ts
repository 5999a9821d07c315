import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable } from '@twinstream/latest-state';
import { s3Quarantine } from '@twinstream/quarantine';
import { dynamoDbClient, type Environment, readConfiguration, s3Client } from '@twinstream/runtime';
import { archivedPositions, checkLedger, type LedgerReport } from '@twinstream/verification';
import { z } from 'zod';
import { sentEvents } from './simulator-ledger.ts';

const SCHEMA = z.object({
  AWS_REGION: z.string(),
  AWS_ACCESS_KEY_ID: z.string(),
  AWS_SECRET_ACCESS_KEY: z.string(),
  AWS_ENDPOINT_URL_DYNAMODB: z.url(),
  AWS_ENDPOINT_URL_S3: z.url(),
  TWINSTREAM_EVENTS_TABLE: z.string(),
  TWINSTREAM_DEVICE_STATE_TABLE: z.string(),
  TWINSTREAM_ARCHIVE_BUCKET: z.string(),
});

/** The stores of a running pipeline, as its environment names them. */
export function pipelineStores(environment: Environment) {
  const values = readConfiguration(SCHEMA, environment);
  const access = {
    region: values.AWS_REGION,
    credentials: { accessKeyId: values.AWS_ACCESS_KEY_ID, secretAccessKey: values.AWS_SECRET_ACCESS_KEY },
  };
  const dynamoDb = dynamoDbClient({ ...access, endpoint: values.AWS_ENDPOINT_URL_DYNAMODB });
  const s3 = s3Client({ ...access, endpoint: values.AWS_ENDPOINT_URL_S3 });
  const bucket = values.TWINSTREAM_ARCHIVE_BUCKET;
  return {
    eventStore: dynamoDbEventStore(dynamoDb, { tableName: values.TWINSTREAM_EVENTS_TABLE }),
    latestState: dynamoDbLatestStateTable(dynamoDb, { tableName: values.TWINSTREAM_DEVICE_STATE_TABLE }),
    quarantine: s3Quarantine({ client: s3, bucket }),
    archivedPositions: () => archivedPositions(s3, bucket),
    close: () => {
      dynamoDb.destroy();
      s3.destroy();
    },
  };
}

/** Checks what the simulator's ledgers say against everything that the pipeline holds. */
export async function checkPipeline(
  environment: Environment,
  ledgerFiles: readonly string[],
): Promise<LedgerReport> {
  const stores = pipelineStores(environment);
  try {
    return await checkLedger({
      ...stores,
      sent: sentEvents(...ledgerFiles),
      archivedPositions: stores.archivedPositions(),
      isComplete: true,
    });
  } finally {
    stores.close();
  }
}
