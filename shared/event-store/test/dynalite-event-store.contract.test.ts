import { describe } from 'vitest';
import { dynaliteEngine, engineTitle } from '../contract/dynamodb-engines.ts';
import { describeEventStore } from '../contract/event-store-contract.ts';
import { dynamoDbEventStore } from '../src/dynamodb-event-store.ts';
import { EVENTS_TABLE_DEFINITION } from '../src/table-definition.ts';

describe(engineTitle('the event store', dynaliteEngine), () => {
  describeEventStore(async () => {
    const { client, createTable, close } = await dynaliteEngine.start();
    const tableName = await createTable(EVENTS_TABLE_DEFINITION);
    return { store: dynamoDbEventStore(client, { tableName }), close };
  });
});
