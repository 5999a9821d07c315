import { type AttributeValue, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { deviceId } from '@twinstream/device-model';
import {
  dynaliteEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { createLogger } from '@twinstream/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnnotationStore } from '../../src/annotations/annotation-store.ts';
import { dynamoDbAnnotationStore } from '../../src/annotations/dynamodb-annotation-store.ts';
import { memoryAnnotationStore } from '../../src/annotations/memory-annotation-store.ts';
import { OPERATIONS_TABLE_DEFINITION } from '../../src/table-definition.ts';

const [A, B] = [deviceId('bus-1'), deviceId('bus-2')];
const said = { by: 'ann', time: 1, note: 'known' };
const silent = { ...said, lastArrivalTime: null };
const gaps = { ...said, missed: 3, request: { key: 'k', content: 'c' } };
const retirement = { by: 'bob', time: 2, reason: 'sold', events: 7, withdrawn: true as const };

function describeStore(create: () => Promise<AnnotationStore>): void {
  test('gives back what was written last of each name, and all of it', async () => {
    const store = await create();
    expect(await store.read(A)).toEqual({});
    await Promise.all([store.write(A, 'silent', silent), store.write(A, 'gaps', { ...gaps, missed: 1 })]);
    await store.write(A, 'gaps', gaps);
    await store.write(B, 'retirement', retirement);
    expect(await store.read(A)).toEqual({ silent, gaps });
    expect(new Map(await Array.fromAsync(store.all()))).toEqual(
      new Map<unknown, unknown>([
        [A, { silent, gaps }],
        [B, { retirement }],
      ]),
    );
  });

  test('counts its writes', async () => {
    const store = await create();
    const before = await store.revision();
    await store.write(A, 'silent', silent);
    expect(await store.revision()).toBeGreaterThan(before);
  });
}

describe('annotations in memory', () => describeStore(async () => memoryAnnotationStore()));

describe(engineTitle('annotations in the table of operators', dynaliteEngine), () => {
  let dynamoDb: TestDynamoDb;
  beforeAll(async () => {
    dynamoDb = await dynaliteEngine.start();
  });
  afterAll(() => dynamoDb?.close());
  const table = () => dynamoDb.createTable(OPERATIONS_TABLE_DEFINITION);

  describeStore(async () =>
    dynamoDbAnnotationStore(dynamoDb.client, await table(), createLogger('test', 'silent')),
  );

  test('leave a damaged document out, and say so, while all others are read', async () => {
    const TableName = await table();
    const lines: string[] = [];
    const logger = createLogger('test', 'error', { write: (line) => lines.push(line) });
    const store = dynamoDbAnnotationStore(dynamoDb.client, TableName, logger);
    await store.write(A, 'gaps', gaps);
    await store.write(B, 'retirement', retirement);
    const damage = (name: string, value: AttributeValue) =>
      dynamoDb.client.send(
        new UpdateItemCommand({
          TableName,
          Key: { kind: { S: 'annotation' }, id: { S: A } },
          UpdateExpression: 'SET #name = :document',
          ExpressionAttributeNames: { '#name': name },
          ExpressionAttributeValues: { ':document': value },
        }),
      );
    await damage('silent', { S: '{"by":1}' });
    await damage('retirement', { N: '1' });
    expect(await store.read(A)).toEqual({ gaps });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(
      ['retirement', 'silent'].map((name) => ({
        deviceId: A,
        msg: 'annotation left out',
        error: { code: 'ANNOTATION_DAMAGED', message: expect.stringContaining(name) },
      })),
    );
    expect(new Map(await Array.fromAsync(store.all()))).toEqual(
      new Map<unknown, unknown>([
        [A, { gaps }],
        [B, { retirement }],
      ]),
    );
    await store.write(A, 'silent', silent);
    expect(await store.read(A)).toEqual({ silent, gaps });
  });
});
