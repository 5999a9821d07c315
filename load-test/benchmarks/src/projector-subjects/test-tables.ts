import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { DEVICE_STATE_TABLE_DEFINITION, SHARD_PROGRESS_TABLE_DEFINITION } from '@twinstream/latest-state';

const TABLE_WAIT_S = 20;

/** Creates the three tables that a projector writes to, under names that begin with `prefix`. */
export async function createProjectorTables(client: DynamoDBClient, prefix: string) {
  const create = async (name: string, definition: Omit<CreateTableCommandInput, 'TableName'>) => {
    const TableName = `${prefix}-${name}`;
    await client.send(new CreateTableCommand({ ...definition, TableName }));
    await waitUntilTableExists({ client, maxWaitTime: TABLE_WAIT_S, minDelay: 0.05 }, { TableName });
    return TableName;
  };
  return {
    eventsTable: await create('events', EVENTS_TABLE_DEFINITION),
    deviceStateTable: await create('device-state', DEVICE_STATE_TABLE_DEFINITION),
    progressTable: await create('shard-progress', SHARD_PROGRESS_TABLE_DEFINITION),
  };
}
