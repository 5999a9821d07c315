import type { Server } from 'node:http';
import {
  type AttributeValue,
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { dynamoDbLocalEngine } from '@twinstream/event-store/contract/dynamodb-engines';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmbeddedDynamoDb } from '../src/index.ts';

const PAGES = {
  BillingMode: 'PAY_PER_REQUEST' as const,
  AttributeDefinitions: [
    { AttributeName: 'deviceId', AttributeType: 'S' as const },
    { AttributeName: 'key', AttributeType: 'S' as const },
  ],
  KeySchema: [
    { AttributeName: 'deviceId', KeyType: 'HASH' as const },
    { AttributeName: 'key', KeyType: 'RANGE' as const },
  ],
};
const STATES = {
  BillingMode: 'PAY_PER_REQUEST' as const,
  AttributeDefinitions: [
    { AttributeName: 'deviceId', AttributeType: 'S' as const },
    { AttributeName: 'site', AttributeType: 'S' as const },
  ],
  KeySchema: [{ AttributeName: 'deviceId', KeyType: 'HASH' as const }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-site',
      KeySchema: [
        { AttributeName: 'site', KeyType: 'HASH' as const },
        { AttributeName: 'deviceId', KeyType: 'RANGE' as const },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' as const },
    },
  ],
};

interface Engine {
  readonly name: string;
  readonly skipped?: string;
  start(): Promise<{ client: DynamoDBClient; close(): Promise<void> }>;
}

const embedded: Engine = {
  name: 'embedded',
  async start() {
    const server: Server = createEmbeddedDynamoDb({ createTableMs: 0 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
    const client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${address.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    return {
      client,
      async close() {
        client.destroy();
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  },
};

for (const engine of [embedded, dynamoDbLocalEngine() as Engine]) {
  const title = engine.skipped === undefined ? engine.name : `${engine.name}, skipped: ${engine.skipped}`;
  describe.skipIf(engine.skipped !== undefined)(`BatchExecuteStatement: ${title}`, () => {
    let running: Awaited<ReturnType<Engine['start']>>;
    const client = () => running.client;
    beforeAll(async () => {
      running = await engine.start();
      await client().send(new CreateTableCommand({ ...PAGES, TableName: 'pages' }));
      await client().send(new CreateTableCommand({ ...STATES, TableName: 'states' }));
    });
    afterAll(() => running.close());

    const run = async (...Statements: BatchStatementRequest[]) => {
      const { Responses = [] } = await client().send(new BatchExecuteStatementCommand({ Statements }));
      return Responses.map(({ Error: error }) => error?.Code ?? 'done');
    };
    const insertPage = (deviceId: string, key: string, body = 'x'): BatchStatementRequest => ({
      Statement: `INSERT INTO "pages" VALUE {'deviceId': ?, 'key': ?, 'body': ?}`,
      Parameters: [{ S: deviceId }, { S: key }, { S: body }],
    });
    const insertState = (deviceId: string, page: number, site: string): BatchStatementRequest => ({
      Statement: `INSERT INTO "states" VALUE {'deviceId': ?, 'page': ?, 'site': ?}`,
      Parameters: [{ S: deviceId }, { N: String(page) }, { S: site }],
    });
    const updateState = (deviceId: string, page: number, site?: string): BatchStatementRequest => ({
      Statement: `UPDATE "states" SET "page"=? ${site === undefined ? 'REMOVE "site"' : 'SET "site"=?'} WHERE "deviceId"=? AND ("page" IS MISSING OR "page" < ?)`,
      Parameters: [
        { N: String(page) },
        ...(site === undefined ? [] : [{ S: site }]),
        { S: deviceId },
        { N: String(page) },
      ],
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const stateOf = async (deviceId: string) =>
      (await client().send(new GetItemCommand({ TableName: 'states', Key: { deviceId: { S: deviceId } } })))
        .Item;
    const atSite = async (site: string) => {
      const { Items = [] } = await client().send(
        new QueryCommand({
          TableName: 'states',
          IndexName: 'by-site',
          KeyConditionExpression: 'site = :site',
          ExpressionAttributeValues: { ':site': { S: site } },
        }),
      );
      return Items.map(({ deviceId }) => deviceId?.S);
    };

    it('inserts items of two tables, and refuses what stands there already, each by itself', async () => {
      expect(await run(insertPage('a', '1'), insertState('a', 1, 'north'))).toEqual(['done', 'done']);
      expect(await run(insertPage('a', '1', 'other'), insertPage('a', '2'))).toEqual([
        'DuplicateItem',
        'done',
      ]);
      const { Items } = await client().send(
        new QueryCommand({
          TableName: 'pages',
          KeyConditionExpression: 'deviceId = :id',
          ExpressionAttributeValues: { ':id': { S: 'a' } },
        }),
      );
      expect(Items?.map(({ body }) => body?.S)).toEqual(['x', 'x']);
    });

    it('updates where the condition holds, and names the item that stands there where not', async () => {
      await run(insertState('u', 5, 'north'));
      expect(await run(updateState('u', 6, 'south'))).toEqual(['done']);
      const { Responses } = await client().send(
        new BatchExecuteStatementCommand({
          Statements: [updateState('u', 6, 'west'), updateState('gone', 1)],
        }),
      );
      expect(Responses?.map(({ Error: error }) => [error?.Code, error?.Item])).toEqual([
        ['ConditionalCheckFailed', { deviceId: { S: 'u' }, page: { N: '6' }, site: { S: 'south' } }],
        ['ConditionalCheckFailed', undefined],
      ]);
      expect(await stateOf('u')).toEqual({ deviceId: { S: 'u' }, page: { N: '6' }, site: { S: 'south' } });
    });

    it('keeps indexes right when their keys change, stay, and go', async () => {
      await run(insertState('i', 1, 'i-north'));
      await run(updateState('i', 2, 'i-north'));
      expect(await atSite('i-north')).toEqual(['i']);
      await run(updateState('i', 3, 'i-south'));
      expect([await atSite('i-north'), await atSite('i-south')]).toEqual([[], ['i']]);
      await run(updateState('i', 4));
      expect(await atSite('i-south')).toEqual([]);
    });

    it('keeps binary values, maps and numbers as they were sent', async () => {
      const map = { M: { n: { N: '1.50' }, list: { L: [{ NULL: true }, { BOOL: false }] } } };
      await run({
        Statement: `INSERT INTO "states" VALUE {'deviceId': ?, 'map': ?, 'bytes': ?}`,
        Parameters: [{ S: 'values' }, map, { B: new Uint8Array([0, 255]) }],
      });
      const item = await stateOf('values');
      expect(item?.bytes?.B).toEqual(new Uint8Array([0, 255]));
      expect(item?.map?.M?.list).toEqual(map.M.list);
      expect(Number(item?.map?.M?.n?.N)).toBe(1.5);
    });

    it('an item above 400 KB, a table that is not there and a foreign statement fail alone', async () => {
      expect(
        await run(
          insertPage('big', '1', 'x'.repeat(420_000)),
          { Statement: `INSERT INTO "nowhere" VALUE {'deviceId': ?}`, Parameters: [{ S: 'n' }] },
          insertPage('small', '1'),
        ),
      ).toEqual(['ValidationError', 'ResourceNotFound', 'done']);
      expect(await run({ Statement: 'MERGE INTO "pages"' }, insertPage('small', '2'))).toEqual([
        'ValidationError',
        'done',
      ]);
    });

    it('a value that no attribute may have fails the batch', async () => {
      const insertValue = (deviceId: string, value: AttributeValue): BatchStatementRequest => ({
        Statement: `INSERT INTO "states" VALUE {'deviceId': ?, 'value': ?}`,
        Parameters: [{ S: deviceId }, value],
      });
      const largest = { N: '9'.repeat(38) };
      for (const value of [{ N: '1'.repeat(39) }, { M: { list: { L: [{ N: '1e126' }] } } }]) {
        const batch = run(insertValue('beside', largest), insertValue('invalid', value));
        await expect(batch).rejects.toMatchObject({ name: 'ValidationException' });
      }
      expect([await stateOf('beside'), await stateOf('invalid')]).toEqual([undefined, undefined]);
      expect(await run(insertValue('beside', largest))).toEqual(['done']);
      expect((await stateOf('beside'))?.value).toEqual(largest);
    });

    it('batches of the same items in opposite orders all end, and each item has one writer', async () => {
      const keys = Array.from({ length: 12 }, (_, index) => String(index));
      const batches = await Promise.all(
        Array.from({ length: 6 }, (_, writer) =>
          run(
            ...(writer % 2 === 0 ? keys : keys.toReversed()).map((key) =>
              insertPage('crossed', key, `writer ${writer}`),
            ),
            insertState(`crossed-${writer % 3}`, 1, 'north'),
          ),
        ),
      );
      expect(batches.flat().filter((outcome) => outcome === 'done')).toHaveLength(keys.length + 3);
    });

    it('refuses two statements of one item and more than 25 statements', async () => {
      await expect(run(insertPage('twice', '1'), insertPage('twice', '1'))).rejects.toThrow(/duplicates/);
      const many = Array.from({ length: 26 }, (_, index) => insertPage('many', String(index)));
      await expect(run(...many)).rejects.toMatchObject({ name: 'ValidationException' });
    });

    it('of concurrent writers of one key exactly one succeeds', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, writer) => run(insertPage('race', '1', `writer ${writer}`))),
      );
      expect(outcomes.flat().filter((outcome) => outcome === 'done')).toHaveLength(1);
    });
  });
}
