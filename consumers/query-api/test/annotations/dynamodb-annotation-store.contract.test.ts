import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { deviceId } from '@twinstream/device-model';
import {
  dynaliteEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { OPERATIONS_TABLE_DEFINITION } from '@twinstream/table-generation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnnotationStore } from '../../src/annotations/annotation-store.ts';
import { dynamoDbAnnotationStore } from '../../src/annotations/dynamodb-annotation-store.ts';
import { memoryAnnotationStore } from '../memory-annotations.ts';

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

  describeStore(async () => dynamoDbAnnotationStore(dynamoDb.client, await table()));

  test('refuse a document that is damaged, by its code', async () => {
    const TableName = await table();
    const Item = { kind: { S: 'annotation' }, id: { S: A }, silent: { S: '{"by":1}' } };
    await dynamoDb.client.send(new PutItemCommand({ TableName, Item }));
    const store = dynamoDbAnnotationStore(dynamoDb.client, TableName);
    await expect(store.read(A)).rejects.toMatchObject({ code: 'ANNOTATION_DAMAGED' });
  });
});
