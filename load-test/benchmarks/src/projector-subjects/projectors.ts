import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  batchedItems,
  type DynamoDbRequests,
  type ItemClient,
  sdkRequests,
  singleItems,
} from '@twinstream/aws/dynamodb';
import { dynamoDbEventStore, memoryEventStore } from '@twinstream/event-store';
import {
  dynamoDbLatestStateTable,
  dynamoDbShardProgressTable,
  memoryLatestStateTable,
  memoryShardProgressTable,
} from '@twinstream/latest-state';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger, systemClock } from '@twinstream/runtime';
import {
  type BatchSummary,
  createProjector,
  PROJECTOR_OPTIONS,
  type ProjectorOptions,
  type ProjectorServices,
} from '@twinstream/state-projector';
import type { BatchAnswer, KinesisLambdaEvent } from '@twinstream/stream-model';

/** Takes a batch as Lambda hands it over. Rejects where any of it was left unfinished. */
export type ProjectBatch = (batch: KinesisLambdaEvent) => Promise<void>;

/** Long enough that no deadline is near, as in a fresh invocation. */
const REMAINING_MS = 60_000;

export interface ProjectorSetup {
  /** Default: the SDK's way. */
  readonly requests?: DynamoDbRequests;
  /** Default: batches of these requests, measured, as the function has them. */
  readonly items?: ItemClient;
  readonly options?: Partial<ProjectorOptions>;
  readonly report?: (summary: BatchSummary) => void;
  readonly services?: Partial<ProjectorServices>;
}

/** The projector through the SDK, as its Lambda function composes it, with a container's memory of its own. */
export function dynamoDbProjector(
  client: DynamoDBClient,
  tables: { readonly eventsTable: string; readonly deviceStateTable: string; readonly progressTable: string },
  { services, requests = sdkRequests(client), items, ...setup }: ProjectorSetup = {},
): ProjectBatch {
  const itemClient = items ?? batchedItems(requests, { measure: true });
  return projectorWith({
    ...setup,
    services: {
      eventStore: dynamoDbEventStore(client, { tableName: tables.eventsTable, items: itemClient }),
      latestState: dynamoDbLatestStateTable(client, {
        tableName: tables.deviceStateTable,
        items: itemClient,
      }),
      shardProgress: dynamoDbShardProgressTable(client, { tableName: tables.progressTable, requests }),
      ...services,
    },
  });
}

/** Items written one by one: DynamoDB Local says what each write consumed, and says nothing of batches. */
export function measuredItems(client: DynamoDBClient): ItemClient {
  return singleItems(sdkRequests(client), { measure: true });
}

/** The projector on stores in memory: all of its own work and nothing else. */
export function memoryProjector(setup: ProjectorSetup = {}): ProjectBatch {
  return projectorWith(setup);
}

function projectorWith({ options, report = () => undefined, services }: ProjectorSetup): ProjectBatch {
  const projector = createProjector(
    {
      eventStore: memoryEventStore(),
      latestState: memoryLatestStateTable(),
      shardProgress: memoryShardProgressTable(),
      quarantine: memoryQuarantine(),
      clock: systemClock,
      logger: createLogger('benchmark', 'silent'),
      report,
      ...services,
    },
    { ...PROJECTOR_OPTIONS, ...options },
  );
  return async (batch) =>
    requireFinished(await projector(batch, { requestId: 'benchmark', remainingMs: () => REMAINING_MS }));
}

/** Throws for an answer that leaves anything for another delivery: a figure of work not done is none. */
export function requireFinished({ batchItemFailures }: BatchAnswer): void {
  const [first] = batchItemFailures;
  if (first !== undefined) throw new Error(`the batch was not finished from ${first.itemIdentifier} on`);
}
