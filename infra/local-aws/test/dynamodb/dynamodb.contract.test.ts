import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchExecuteStatementCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateScan,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { createLogger } from '@twinstream/runtime';
import { freePort } from '@twinstream/runtime/free-port';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DYNAMODB_ENGINES, type DynamoDb, startDynamoDb } from '../../src/dynamodb/dynamodb.ts';
import { startDynamoDbFrontEnd } from '../../src/dynamodb/dynamodb-front-end.ts';
import { javaMajor } from '../../src/dynamodb/java-version.ts';
import { type RemoteFaults, remoteFaults } from '../../src/faults/remote-faults.ts';

const local = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const TABLE = 'things';

function hasJava(): boolean {
  try {
    return (
      (javaMajor(execFileSync('java', ['-version'], { stdio: ['ignore', 'pipe', 'pipe'] }).toString()) ??
        17) >= 17
    );
  } catch {
    return false;
  }
}
// DynamoDB Local needs Java, which the pipeline itself does not.
const engines = DYNAMODB_ENGINES.filter((engine) => engine !== 'java' || hasJava());

/** DynamoDB Local syncs each write to its file, which takes far longer. */
const ACKNOWLEDGED_MIN = { dynalite: 200, java: 20 } as const;

const connect = (endpoint: string) => dynamoDbClient({ ...local, endpoint, maxAttempts: 1 });

async function createTable(client: DynamoDBClient): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 0.1 }, { TableName: TABLE });
}

const put = (client: DynamoDBClient, id: string) =>
  client.send(
    new PutItemCommand({
      TableName: TABLE,
      Item: { id: { S: id } },
      ConditionExpression: 'attribute_not_exists(id)',
    }),
  );
const insertAll = (client: DynamoDBClient, ids: readonly string[]) =>
  client.send(
    new BatchExecuteStatementCommand({
      Statements: ids.map((id) => ({
        Statement: `INSERT INTO "${TABLE}" VALUE {'id': ?}`,
        Parameters: [{ S: id }],
      })),
    }),
  );
const get = async (client: DynamoDBClient, id: string) =>
  (await client.send(new GetItemCommand({ TableName: TABLE, Key: { id: { S: id } }, ConsistentRead: true })))
    .Item;

describe.each(engines)('%s', (engine) => {
  it('keeps every acknowledged item over kill -9 when it has a folder', { timeout: 120_000 }, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'dynamodb-'));
    let db: DynamoDb | undefined;
    try {
      db = await startDynamoDb({ engine, dataDir });
      expect(db.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      await createTable(connect(db.url));
      const acknowledged: string[] = [];
      let next = 0;
      const putting = Promise.all(
        Array.from({ length: 4 }, async () => {
          const client = connect(db?.url ?? '');
          try {
            for (;;) {
              next += 1;
              const id = `item-${next}`;
              await put(client, id);
              acknowledged.push(id);
            }
          } catch {
            // The engine was killed.
          } finally {
            client.destroy();
          }
        }),
      );
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(ACKNOWLEDGED_MIN[engine]), {
        timeout: 60_000,
      });
      process.kill(db.pid, 'SIGKILL');
      await db.exited;
      await putting;

      db = await startDynamoDb({ engine, dataDir });
      const client = connect(db.url);
      const found = new Set<string | undefined>();
      for await (const { Items = [] } of paginateScan({ client }, { TableName: TABLE })) {
        for (const item of Items) found.add(item.id?.S);
      }
      client.destroy();
      expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    } finally {
      await db?.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('forgets everything without a folder, and leaves no process behind', { timeout: 120_000 }, async () => {
    const first = await startDynamoDb({ engine });
    await createTable(connect(first.url));
    await first.close();
    expect(() => process.kill(first.pid, 0)).toThrow(/ESRCH/);
    const second = await startDynamoDb({ engine });
    await expect(put(connect(second.url), 'x')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await second.close();
  });

  it('says in one line that its port is taken', { timeout: 120_000 }, async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      await expect(startDynamoDb({ engine, port })).rejects.toMatchObject({
        code: 'PORT_TAKEN',
        message: `port ${port} is taken by another process`,
      });
    } finally {
      other.close();
    }
  });
});

describe('a missing or old Java', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['nonsense', undefined],
  ])('%s is version %s', (text, major) => {
    expect(javaMajor(text)).toBe(major);
  });

  it('is told in one line that names the way out', async () => {
    vi.stubEnv('PATH', '');
    try {
      await expect(startDynamoDb({ engine: 'java' })).rejects.toMatchObject({
        code: 'JAVA_MISSING',
        message:
          'DynamoDB Local needs Java 17 or newer, but java cannot be run; dynalite, the default engine, needs no Java',
      });
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe.each(engines)('the front end of %s', (name) => {
  let engine: DynamoDb;
  let faults: RemoteFaults;
  let client: DynamoDBClient;
  let next = 0;
  const freshId = () => {
    next += 1;
    return `fault-${next}`;
  };

  beforeAll(async () => {
    engine = await startDynamoDb({ engine: name });
    faults = remoteFaults(engine.url);
    client = connect(engine.url);
    await createTable(client);
  });
  afterEach(() => faults.replace([]));
  afterAll(async () => {
    client.destroy();
    await engine.close();
  });

  it('passes requests, answers and errors through unchanged', async () => {
    const id = freshId();
    await put(client, id);
    expect(await get(client, id)).toEqual({ id: { S: id } });
    await expect(put(client, id)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
    const large = 'x'.repeat(350_000);
    await client.send(
      new PutItemCommand({ TableName: TABLE, Item: { id: { S: 'large' }, large: { S: large } } }),
    );
    expect((await get(client, 'large'))?.large).toEqual({ S: large });
  });

  it.each([
    ['throttle', 'ProvisionedThroughputExceededException', 400],
    ['error', 'InternalServerError', 500],
  ] as const)('refuses by %s, without effect, as %s', async (kind, name, status) => {
    const id = freshId();
    await faults.replace([{ service: 'dynamodb', operation: 'PutItem', kind, rate: 1 }]);
    await expect(put(client, id)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
    expect(await get(client, id)).toBeUndefined();
  });

  it('throttles table operations in their own words', async () => {
    await faults.replace([{ service: 'dynamodb', kind: 'throttle', rate: 1 }]);
    await expect(createTable(client)).rejects.toMatchObject({ name: 'ThrottlingException' });
  });

  it('is retried by the SDK until the fault is spent', async () => {
    await faults.replace([{ service: 'dynamodb', kind: 'throttle', rate: 1, count: 2 }]);
    const patient = dynamoDbClient({ ...local, endpoint: engine.url, maxAttempts: 3 });
    await put(patient, freshId());
    patient.destroy();
    expect((await faults.report())[0]).toMatchObject({ injected: 2 });
  });

  it('loses an answer after the effect', async () => {
    const id = freshId();
    await faults.replace([
      { service: 'dynamodb', operation: 'PutItem', kind: 'lost-answer', rate: 1, count: 1 },
    ]);
    await expect(put(client, id)).rejects.toThrow();
    expect(await get(client, id)).toEqual({ id: { S: id } });
    await expect(put(client, id)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
  });

  it('throttles single statements of a batch, and carries out the others in their places', async () => {
    const ids = Array.from({ length: 20 }, freshId);
    await faults.replace([
      { service: 'dynamodb', operation: 'BatchExecuteStatement', kind: 'partial', rate: 0.5, seed: 7 },
    ]);
    const { Responses = [] } = await insertAll(client, ids);
    const codes = Responses.map(({ Error: error }) => error?.Code);
    expect(new Set(codes)).toEqual(new Set([undefined, 'ProvisionedThroughputExceeded']));
    for (const [index, id] of ids.entries()) {
      expect(await get(client, id)).toEqual(codes[index] === undefined ? { id: { S: id } } : undefined);
    }
    await faults.replace([{ service: 'dynamodb', kind: 'partial', rate: 1 }]);
    const all = await insertAll(client, [freshId(), freshId()]);
    expect(all.Responses?.map(({ Error: error }) => error?.Code)).toEqual([
      'ProvisionedThroughputExceeded',
      'ProvisionedThroughputExceeded',
    ]);
    expect(await get(client, freshId())).toBeUndefined();
  });

  it('lets a delayed request land although its client has given up', async () => {
    const id = freshId();
    await faults.replace([
      { service: 'dynamodb', operation: 'PutItem', kind: 'delay', rate: 1, delayMs: 300, count: 1 },
    ]);
    const command = new PutItemCommand({ TableName: TABLE, Item: { id: { S: id } } });
    await expect(client.send(command, { abortSignal: AbortSignal.timeout(50) })).rejects.toThrow();
    expect(await get(client, id)).toBeUndefined();
    await vi.waitFor(async () => expect(await get(client, id)).toEqual({ id: { S: id } }), {
      timeout: 5_000,
    });
  });
});

it('a front end cuts the connection when its engine is gone, which the SDK takes as a passing fault', async () => {
  const frontEnd = await startDynamoDbFrontEnd({
    upstreamUrl: `http://127.0.0.1:${await freePort()}`,
    logger: createLogger('test', 'silent'),
  });
  const client = connect(frontEnd.url);
  await expect(put(client, 'x')).rejects.toThrow(/socket hang up|ECONNRESET/);
  client.destroy();
  await frontEnd.close();
});
