import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  ResourceNotFoundException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { DEVICE_STATE_TABLE_DEFINITION } from '@twinstream/latest-state';
import type { TableNames } from '@twinstream/table-generation';

const TABLE_WAIT_S = 120;

/** Names of a pair of tables. */
export function freshTableNames(name: string): TableNames {
  return { eventsTable: `${name}-events`, deviceStateTable: `${name}-device-state` };
}

/** Which of the tables are there. */
export async function existingTables(
  client: DynamoDBClient,
  { eventsTable, deviceStateTable }: TableNames,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = await Promise.all(
    [eventsTable, deviceStateTable].map(async (TableName) => {
      try {
        await client.send(new DescribeTableCommand({ TableName }), { abortSignal: signal });
        return [TableName];
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}

/** Creates what is not there, and waits until both take writes. */
export async function createFreshTables(
  client: DynamoDBClient,
  { eventsTable, deviceStateTable }: TableNames,
  signal: AbortSignal,
): Promise<void> {
  const tables = [
    { ...EVENTS_TABLE_DEFINITION, TableName: eventsTable },
    { ...DEVICE_STATE_TABLE_DEFINITION, TableName: deviceStateTable },
  ];
  await Promise.all(
    tables.map(async (table) => {
      try {
        await client.send(new CreateTableCommand(table), { abortSignal: signal });
      } catch (error) {
        if (!(error instanceof ResourceInUseException)) throw error;
      }
      await waitUntilTableExists(
        { client, maxWaitTime: TABLE_WAIT_S, minDelay: 0.1, abortSignal: signal },
        { TableName: table.TableName },
      );
    }),
  );
}
