import { dynaliteEngine, type TestDynamoDb } from '@twinstream/event-store/contract/dynamodb-engines';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { followGeneration, perGeneration } from '../src/follow-generation.ts';
import { activateGeneration, readGeneration } from '../src/generation-item.ts';
import { CONFIGURED_GENERATION, GENERATION_FRESH_MS } from '../src/table-generation.ts';

const CONFIGURED = { eventsTable: 'events', deviceStateTable: 'device-state' };
const OPERATIONS = {
  BillingMode: 'PAY_PER_REQUEST' as const,
  AttributeDefinitions: [
    { AttributeName: 'kind', AttributeType: 'S' as const },
    { AttributeName: 'id', AttributeType: 'S' as const },
  ],
  KeySchema: [
    { AttributeName: 'kind', KeyType: 'HASH' as const },
    { AttributeName: 'id', KeyType: 'RANGE' as const },
  ],
};

let dynamoDb: TestDynamoDb;
let operationsTable: string;
let now: number;
const clock = { now: () => now, sleep: async () => undefined };

beforeAll(async () => {
  dynamoDb = await dynaliteEngine.start();
});
afterAll(() => dynamoDb?.close());
beforeEach(async () => {
  operationsTable = await dynamoDb.createTable(OPERATIONS);
  now = 1_000_000;
});

const generation = (id: string) => ({
  id,
  eventsTable: `${id}-events`,
  deviceStateTable: `${id}-device-state`,
  activatedTime: 5,
});
const activate = (id: string, previousId: string) =>
  activateGeneration(dynamoDb.client, operationsTable, generation(id), previousId);
const follow = () =>
  followGeneration({ client: dynamoDb.client, operationsTable, configured: CONFIGURED, clock });

describe('the generation in use', () => {
  test('is the configured one until another is activated', async () => {
    expect(await readGeneration(dynamoDb.client, operationsTable)).toBeUndefined();
    expect(await follow()()).toMatchObject({ ...CONFIGURED, id: CONFIGURED_GENERATION });
  });

  test('is the configured one where no table of operations is configured', async () => {
    const alone = followGeneration({
      client: dynamoDb.client,
      operationsTable: undefined,
      configured: CONFIGURED,
    });
    expect(await alone()).toMatchObject({ id: CONFIGURED_GENERATION });
  });

  test('reads as it was activated, and is followed within the time it may be old', async () => {
    const current = follow();
    await current();
    await activate('a', CONFIGURED_GENERATION);
    expect(await readGeneration(dynamoDb.client, operationsTable)).toEqual(generation('a'));
    now += GENERATION_FRESH_MS - 1;
    expect((await current()).id).toBe(CONFIGURED_GENERATION);
    now += 1;
    expect((await current()).id).toBe('a');
  });

  test('is replaced only by who knows which one is in use; the same again is success', async () => {
    await activate('a', CONFIGURED_GENERATION);
    await activate('a', CONFIGURED_GENERATION);
    await activate('b', 'a');
    await expect(activate('c', 'a')).rejects.toMatchObject({ code: 'GENERATION_CHANGED' });
    expect((await follow()()).id).toBe('b');
  });

  test('makes again what is made of its tables, and only then', async () => {
    const made: string[] = [];
    const current = perGeneration(follow(), ({ id }) => {
      made.push(id);
      return id;
    });
    await current();
    now += GENERATION_FRESH_MS;
    await current();
    await activate('a', CONFIGURED_GENERATION);
    now += GENERATION_FRESH_MS;
    expect(await current()).toBe('a');
    expect(made).toEqual([CONFIGURED_GENERATION, 'a']);
  });

  test('is asked for again after a failure, which is not hidden', async () => {
    const current = followGeneration({
      client: dynamoDb.client,
      operationsTable: 'not-there',
      configured: CONFIGURED,
      clock,
    });
    await expect(current()).rejects.toMatchObject({ code: 'DYNAMODB_REFUSED' });
    await expect(current()).rejects.toMatchObject({ code: 'DYNAMODB_REFUSED' });
  });
});
