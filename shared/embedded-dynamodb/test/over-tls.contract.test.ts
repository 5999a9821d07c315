import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { batchedItems, dynamoDbClient, fastRequests } from '@twinstream/aws/dynamodb';
import { dynamoDbEventStore, EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { describeEventStore } from '@twinstream/event-store/contract';
import { DEVICE_STATE_TABLE_DEFINITION, dynamoDbLatestStateTable } from '@twinstream/latest-state';
import { describeLatestStateTable } from '@twinstream/latest-state/contract';
import { afterAll, beforeAll, describe } from 'vitest';
import { createEmbeddedDynamoDb } from '../src/index.ts';

/** A certificate for 127.0.0.1 that signs itself, and its key: they protect nothing but these tests. */
const pem = (name: string) => readFileSync(new URL(`./tls/${name}.pem`, import.meta.url), 'utf8');

describe('the stores over TLS, with writes in batches by fast requests', () => {
  const embedded = createEmbeddedDynamoDb({ createTableMs: 0 });
  const server = createServer({ key: pem('key'), cert: pem('certificate') }, (request, response) => {
    embedded.emit('request', request, response);
  });
  let client: DynamoDBClient;
  let tables = 0;
  const createTable = async (
    definition: typeof EVENTS_TABLE_DEFINITION | typeof DEVICE_STATE_TABLE_DEFINITION,
  ) => {
    tables += 1;
    const tableName = `table-${tables}`;
    await client.send(new CreateTableCommand({ ...definition, TableName: tableName }));
    return tableName;
  };

  beforeAll(async () => {
    setDefaultCACertificates([...getCACertificates('default'), pem('certificate')]);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
    client = dynamoDbClient({
      endpoint: `https://127.0.0.1:${address.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  });
  afterAll(async () => {
    client.destroy();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  const items = () => batchedItems(fastRequests(client));

  describeEventStore(async () => {
    const tableName = await createTable(EVENTS_TABLE_DEFINITION);
    return { store: dynamoDbEventStore(client, { tableName, items: items() }) };
  });

  describeLatestStateTable(async () => {
    const tableName = await createTable(DEVICE_STATE_TABLE_DEFINITION);
    return { table: dynamoDbLatestStateTable(client, { tableName, items: items() }) };
  });
});
