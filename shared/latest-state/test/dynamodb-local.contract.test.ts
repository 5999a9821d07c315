import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import {
  batchedItems,
  fastRequests,
  type ItemClient,
  itemBytes,
  sdkRequests,
  singleItems,
  textValue,
  writeUnits,
} from '@twinstream/aws/dynamodb';
import {
  dynamoDbLocalEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  describeLatestStateTable,
  describeShardProgressTable,
  reported,
  stateAfter,
} from '../contract/index.ts';
import { dynamoDbLatestStateTable } from '../src/dynamodb-latest-state.ts';
import { dynamoDbShardProgressTable } from '../src/dynamodb-shard-progress.ts';
import { STATE_ATTRIBUTES, stateItem } from '../src/state-item.ts';
import { DEVICE_STATE_TABLE_DEFINITION, SHARD_PROGRESS_TABLE_DEFINITION } from '../src/table-definitions.ts';
import { vehicle } from './vehicle.ts';

const engine = dynamoDbLocalEngine();

describe.skipIf(engine.skipped !== undefined)(engineTitle('the tables', engine), () => {
  let dynamoDb: TestDynamoDb;
  let tableName: string;
  beforeAll(async () => {
    dynamoDb = await engine.start();
    tableName = await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION);
  });
  afterAll(() => dynamoDb?.close());

  describe.each([
    ['batched items, fast requests', fastRequests, batchedItems],
    ['single items, the SDK’s requests', sdkRequests, singleItems],
  ])('with %s', (_, requestsOf, itemsOf) => {
    describeLatestStateTable(async () => {
      const items = itemsOf(requestsOf(dynamoDb.client));
      const name = await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION);
      return { table: dynamoDbLatestStateTable(dynamoDb.client, { tableName: name, items }) };
    });

    describeShardProgressTable(async () => {
      const name = await dynamoDb.createTable(SHARD_PROGRESS_TABLE_DEFINITION);
      const requests = requestsOf(dynamoDb.client);
      return { table: dynamoDbShardProgressTable(dynamoDb.client, { tableName: name, requests }) };
    });
  });

  const measured = (): ItemClient => singleItems(fastRequests(dynamoDb.client), { measure: true });

  it('charges every write of a vehicle one write unit: the first, a usual update and a move to another site', async () => {
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName, items: measured() });
    const first = await vehicle('bus-2619', 25);
    const second = await stateAfter('bus-2619', [{ data: { speedMph: 0 } }], first);
    const moved = await stateAfter('bus-2619', [{ data: { site: 'south' } }], second);
    for (const state of [first, second, moved]) {
      expect(await table.write(state)).toEqual({ outcome: 'written', writeUnits: 1 });
    }
  });

  it('charges states what is reckoned here', async () => {
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName, items: measured() });
    for (let attributes = 1; attributes < 60; attributes += 4) {
      const data = Object.fromEntries(
        Array.from({ length: attributes }, (_, n) => [`attribute${n}`, Math.sin(n)]),
      );
      const state = await reported(`sized-${attributes}`, data);
      await table.write(state);
      const next = await stateAfter(`sized-${attributes}`, [{ data: { attribute0: 1 } }], state);
      const units = Math.max(writeUnits(itemBytes(stateItem(state))), writeUnits(itemBytes(stateItem(next))));
      expect(await table.write(next)).toEqual({ outcome: 'written', writeUnits: units });
    }
  });

  it('leaves what others added to an item, and takes it out when it is replaced', async () => {
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName });
    const state = await vehicle('bus-76', 3);
    const later = await stateAfter('bus-76', [{ data: { speedMph: 1 } }], state);
    await table.write(state);
    await dynamoDb.client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { deviceId: textValue('bus-76') },
        UpdateExpression: 'SET note = :note',
        ExpressionAttributeValues: { ':note': textValue('theirs') },
      }),
    );
    await table.write(later);
    const foreign = { attribute: 'note', expected: 'none', found: 'theirs' };
    expect(await table.audit(state.deviceId)).toEqual({ kind: 'state', state: later, faults: [foreign] });
    expect(await table.replace(later, later.page)).toBe('replaced');
    expect(await table.audit(state.deviceId)).toEqual({ kind: 'state', state: later, faults: [] });
  });

  it('heals an item that was wiped, whole', async () => {
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName });
    const state = await vehicle('bus-77', 3);
    const later = await stateAfter('bus-77', [{ data: { speedMph: 1 } }], state);
    await table.write(state);
    await dynamoDb.client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { deviceId: textValue('bus-77') },
        UpdateExpression: `REMOVE ${STATE_ATTRIBUTES.map((name) => `#${name}`).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(STATE_ATTRIBUTES.map((name) => [`#${name}`, name])),
      }),
    );
    await expect(table.read(state.deviceId)).rejects.toMatchObject({ code: 'DAMAGED_STATE' });
    expect(await table.write(later)).toEqual({ outcome: 'written' });
    expect(await table.read(state.deviceId)).toEqual(later);
  });

  it('reports an item that others have damaged', async () => {
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName });
    const state = await vehicle('bus-78', 3);
    await table.write(state);
    await dynamoDb.client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { deviceId: textValue('bus-78') },
        UpdateExpression: 'REMOVE attributes',
      }),
    );
    await expect(table.read(state.deviceId)).rejects.toMatchObject({
      code: 'DAMAGED_STATE',
      retryable: false,
    });
  });

  it('says when a state is more than an item holds', async () => {
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName });
    const first = await reported('giant', { a: 'x'.repeat(220_000) });
    const both = await stateAfter('giant', [{ data: { b: 'y'.repeat(220_000) } }], first);
    expect(await table.write(first)).toEqual({ outcome: 'written' });
    await expect(table.write(both)).rejects.toMatchObject({ code: 'STATE_TOO_LARGE', retryable: false });
    expect(await table.read(first.deviceId)).toEqual(first);
  });
});
