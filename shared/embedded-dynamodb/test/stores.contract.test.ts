import { batchedItems, fastRequests, sdkRequests, singleItems } from '@twinstream/aws/dynamodb';
import { dynamoDbEventStore, EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { describeEventStore } from '@twinstream/event-store/contract';
import { engineTitle, type TestDynamoDb } from '@twinstream/event-store/contract/dynamodb-engines';
import { DEVICE_STATE_TABLE_DEFINITION, dynamoDbLatestStateTable } from '@twinstream/latest-state';
import { describeLatestStateTable } from '@twinstream/latest-state/contract';
import { afterAll, beforeAll, describe } from 'vitest';
import { embeddedEngine } from './embedded-engine.ts';

describe(engineTitle('the stores', embeddedEngine), () => {
  let dynamoDb: TestDynamoDb;
  beforeAll(async () => {
    dynamoDb = await embeddedEngine.start();
  });
  afterAll(() => dynamoDb?.close());

  describe.each([
    ['batched items, fast requests', fastRequests, batchedItems],
    ['batched items, the SDK’s requests', sdkRequests, batchedItems],
    ['single items, fast requests', fastRequests, singleItems],
  ])('with %s', (_, requestsOf, itemsOf) => {
    const itemsOfClient = () => itemsOf(requestsOf(dynamoDb.client));

    describeEventStore(async () => {
      const tableName = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
      return { store: dynamoDbEventStore(dynamoDb.client, { tableName, items: itemsOfClient() }) };
    });

    describeLatestStateTable(async () => {
      const tableName = await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION);
      return { table: dynamoDbLatestStateTable(dynamoDb.client, { tableName, items: itemsOfClient() }) };
    });
  });
});
