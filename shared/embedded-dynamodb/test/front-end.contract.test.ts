import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  ExecuteTransactionCommand,
  ListBackupsCommand,
  PutItemCommand,
  QueryCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateTableCommand,
  type UpdateTableCommandInput,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmbeddedDynamoDb } from '../src/index.ts';

const server = createEmbeddedDynamoDb({ createTableMs: 0, updateTableMs: 0 });
let client: DynamoDBClient;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${address.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** Creates a table, and waits until it is ACTIVE. */
const table = async (
  TableName: string,
  throughput?: { ReadCapacityUnits: number; WriteCapacityUnits: number },
) => {
  await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
      ...(throughput === undefined
        ? { BillingMode: 'PAY_PER_REQUEST' }
        : { ProvisionedThroughput: throughput }),
    }),
  );
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 30 }, { TableName });
};
const put = (TableName: string, leaseKey: string, owner: string) =>
  client.send(
    new PutItemCommand({ TableName, Item: { leaseKey: { S: leaseKey }, leaseOwner: { S: owner } } }),
  );
/** As the Kinesis Client Library 3 adds it to its table of leases. */
const byOwner = (
  TableName: string,
  throughput?: { ReadCapacityUnits: number; WriteCapacityUnits: number },
): UpdateTableCommandInput => ({
  TableName,
  AttributeDefinitions: [
    { AttributeName: 'leaseKey', AttributeType: 'S' },
    { AttributeName: 'leaseOwner', AttributeType: 'S' },
  ],
  GlobalSecondaryIndexUpdates: [
    {
      Create: {
        IndexName: 'by-owner',
        KeySchema: [{ AttributeName: 'leaseOwner', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
        ...(throughput === undefined ? {} : { ProvisionedThroughput: throughput }),
      },
    },
  ],
});
const leasesOf = async (TableName: string, owner: string) => {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName,
      IndexName: 'by-owner',
      KeyConditionExpression: 'leaseOwner = :owner',
      ExpressionAttributeValues: { ':owner': { S: owner } },
    }),
  );
  return Items.map(({ leaseKey }) => leaseKey?.S).sort();
};

describe('UpdateTable', () => {
  it.each([
    ['on demand', undefined],
    ['provisioned', { ReadCapacityUnits: 5, WriteCapacityUnits: 5 }],
  ])('creates an index (%s) that holds what was there, what comes, and no more', async (name, throughput) => {
    const TableName = `leases-${name.replace(' ', '-')}`;
    await table(TableName, throughput);
    await put(TableName, 'shard-0', 'me');
    await put(TableName, 'shard-1', 'you');
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: [{ PutRequest: { Item: { leaseKey: { S: 'without-owner' } } } }] },
      }),
    );
    await client.send(new UpdateTableCommand(byOwner(TableName, throughput)));
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table?.GlobalSecondaryIndexes).toMatchObject([{ IndexName: 'by-owner', IndexStatus: 'ACTIVE' }]);
    expect(await leasesOf(TableName, 'me')).toEqual(['shard-0']);
    await put(TableName, 'shard-2', 'me');
    await put(TableName, 'shard-1', 'me');
    expect(await leasesOf(TableName, 'me')).toEqual(['shard-0', 'shard-1', 'shard-2']);
    expect(await leasesOf(TableName, 'you')).toEqual([]);
  });

  it('refuses an index that is there, or that its table has no throughput for', async () => {
    await table('again');
    await client.send(new UpdateTableCommand(byOwner('again')));
    const refused = (input: UpdateTableCommandInput) =>
      expect(client.send(new UpdateTableCommand(input))).rejects.toMatchObject({
        name: 'ValidationException',
      });
    await refused(byOwner('again'));
    await table('throughput', { ReadCapacityUnits: 5, WriteCapacityUnits: 5 });
    await refused(byOwner('throughput'));
    await expect(client.send(new UpdateTableCommand(byOwner('absent')))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('deletes an index', async () => {
    const TableName = 'deleted';
    await table(TableName);
    await client.send(new UpdateTableCommand(byOwner(TableName)));
    const GlobalSecondaryIndexUpdates = [{ Delete: { IndexName: 'by-owner' } }];
    await client.send(new UpdateTableCommand({ TableName, GlobalSecondaryIndexUpdates }));
    await expect(leasesOf(TableName, 'me')).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('leaves everything else to dynalite', async () => {
    const TableName = 'billing';
    await table(TableName, { ReadCapacityUnits: 5, WriteCapacityUnits: 5 });
    await client.send(new UpdateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST' }));
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
  });
});

describe('what the engine does not have', () => {
  const Key = { leaseKey: { S: 'a' } };
  const Put = { TableName: 't', Item: Key };
  const TimeToLiveSpecification = { AttributeName: 'until', Enabled: true };

  it.each([
    ['PartiQL', () => client.send(new ExecuteStatementCommand({ Statement: 'SELECT * FROM t' }))],
    [
      'PartiQL',
      () => client.send(new ExecuteTransactionCommand({ TransactStatements: [{ Statement: 'x' }] })),
    ],
    ['transactions', () => client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }] }))],
    [
      'transactions',
      () => client.send(new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: 't', Key } }] })),
    ],
    [
      'time to live',
      () => client.send(new UpdateTimeToLiveCommand({ TableName: 't', TimeToLiveSpecification })),
    ],
  ])('is refused by name, with what has it: %s', async (what, call) => {
    await expect(call()).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringMatching(
        new RegExp(`dynalite.* has no ${what}.*: DynamoDB Local has, .*--dynamodb java`),
      ),
    });
  });

  it('is refused by name where nothing local has it', async () => {
    await expect(client.send(new ListBackupsCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: 'ListBackups is not served by dynalite, the embedded DynamoDB engine',
    });
  });
});
