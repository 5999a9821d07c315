import { hostname } from 'node:os';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  dynaliteEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { createLogger } from '@twinstream/runtime';
import { steppingClock, TEST_TIME_MS } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JOB_SILENT_MS } from '../src/job-liveness.ts';
import { dynamoDbReplays } from '../src/running-replays.ts';

const shard = {
  read: 10,
  bytes: 1_000,
  skipped: 0,
  applied: 7,
  late: 1,
  duplicate: 1,
  redelivered: 1,
  quarantined: 0,
  failed: 0,
};

describe(engineTitle('running replays', dynaliteEngine), () => {
  let dynamoDb: TestDynamoDb;
  beforeAll(async () => {
    dynamoDb = await dynaliteEngine.start();
  });
  afterAll(() => dynamoDb?.close());

  test('are listed with their counts, stalled ones are not, and jobs are read once in five seconds', async () => {
    const tableName = await dynamoDb.createTable({
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'kind', AttributeType: 'S' },
        { AttributeName: 'id', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'kind', KeyType: 'HASH' },
        { AttributeName: 'id', KeyType: 'RANGE' },
      ],
    });
    const put = (id: string, document: unknown, kind = 'replay') =>
      dynamoDb.client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: { kind: { S: kind }, id: { S: id }, document: { S: JSON.stringify(document) } },
        }),
      );
    const job = {
      id: 'r-1',
      status: 'running',
      pass: 'apply',
      createdTime: TEST_TIME_MS - 60_000,
      updatedTime: TEST_TIME_MS - 1_000,
      runner: { token: 't', host: 'elsewhere', pid: 1 },
      spec: { target: 'fresh', reason: 'a new fold', parts: [] },
      ledger: { 'shardId-000000000000': shard, 'shardId-000000000001': { ...shard, read: 5 } },
    };
    await put('r-1', job);
    await put('r-2', { ...job, id: 'r-2', status: 'completed' });
    await put('r-3', { nonsense: true });
    await put('stalled-1', { ...job, id: 'stalled-1', updatedTime: TEST_TIME_MS - JOB_SILENT_MS });
    await put('stalled-2', { ...job, id: 'stalled-2', runner: { host: hostname(), pid: 2 ** 30 } });
    await put('never-run', { ...job, id: 'never-run', runner: undefined });
    await put('active', {}, 'generation');
    const clock = steppingClock();
    const replays = dynamoDbReplays({
      client: dynamoDb.client,
      tableName,
      clock,
      logger: createLogger('test', 'silent'),
    });
    const running = {
      id: 'r-1',
      target: 'fresh',
      step: 'apply',
      reason: 'a new fold',
      startedMs: TEST_TIME_MS - 60_000,
      updatedMs: TEST_TIME_MS - 1_000,
      entries: { read: 15, applied: 14, late: 2, duplicate: 2, redelivered: 2, failed: 0 },
    };
    expect(await replays()).toEqual([running]);
    await put('r-1', { ...job, status: 'stopped' });
    expect(await replays()).toEqual([running]);
    clock.advance(5_001);
    expect(await replays()).toEqual([]);
  });
});
