import {
  dynaliteEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeLatestStateTable, describeShardProgressTable } from '../contract/index.ts';
import { dynamoDbLatestStateTable } from '../src/dynamodb-latest-state.ts';
import { dynamoDbShardProgressTable } from '../src/dynamodb-shard-progress.ts';
import { DEVICE_STATE_TABLE_DEFINITION, SHARD_PROGRESS_TABLE_DEFINITION } from '../src/table-definitions.ts';

describe(engineTitle('the tables', dynaliteEngine), () => {
  let dynamoDb: TestDynamoDb;
  beforeAll(async () => {
    dynamoDb = await dynaliteEngine.start();
  });
  afterAll(() => dynamoDb?.close());

  describeLatestStateTable(async () => {
    const tableName = await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION);
    return { table: dynamoDbLatestStateTable(dynamoDb.client, { tableName }) };
  });

  describeShardProgressTable(async () => {
    const tableName = await dynamoDb.createTable(SHARD_PROGRESS_TABLE_DEFINITION);
    return { table: dynamoDbShardProgressTable(dynamoDb.client, { tableName }) };
  });
});
