import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { s3Client } from '@twinstream/aws/s3';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable } from '@twinstream/latest-state';
import { s3Quarantine } from '@twinstream/quarantine';
import type { Environment } from '@twinstream/runtime';
import {
  archivedPositions,
  checkLedger,
  type LedgerReport,
  quarantinedPositions,
} from '@twinstream/verification';
import { type Access, localAccess } from './pipeline-access.ts';
import { sentEvents } from './simulator-ledger.ts';

/** The stores of a running pipeline. */
export function pipelineStores(access: Access) {
  const dynamoDb = dynamoDbClient(access.clients.dynamoDb);
  const s3 = s3Client(access.clients.s3);
  const bucket = access.archiveBucket;
  return {
    eventStore: dynamoDbEventStore(dynamoDb, { tableName: access.eventsTable }),
    latestState: dynamoDbLatestStateTable(dynamoDb, { tableName: access.deviceStateTable }),
    quarantine: s3Quarantine({ client: s3, bucket }),
    archivedPositions: () => archivedPositions(s3, bucket),
    close: () => {
      dynamoDb.destroy();
      s3.destroy();
    },
  };
}

/** Checks what the simulator's ledgers say against everything that a pipeline on this machine holds. */
export async function checkPipeline(
  environment: Environment,
  ledgerFiles: readonly string[],
): Promise<LedgerReport> {
  const stores = pipelineStores(localAccess(environment));
  try {
    return await checkLedger({
      ...stores,
      sent: sentEvents(...ledgerFiles),
      archivedPositions: stores.archivedPositions(),
      quarantinedPositions: quarantinedPositions(stores.quarantine),
      isComplete: true,
    });
  } finally {
    stores.close();
  }
}
