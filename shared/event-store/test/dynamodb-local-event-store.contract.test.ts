import { type AttributeValue, DeleteTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  batchedItems,
  fastRequests,
  type Item,
  type ItemClient,
  itemBytes,
  sdkRequests,
  singleItems,
  writeUnits,
} from '@twinstream/aws/dynamodb';
import { type ArrivedEvent, newDevice, planPage } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoDbLocalEngine, engineTitle, type TestDynamoDb } from '../contract/dynamodb-engines.ts';
import { describeEventStore } from '../contract/event-store-contract.ts';
import { dynamoDbEventStore } from '../src/dynamodb-event-store.ts';
import { encodePage } from '../src/page-item.ts';
import { EVENTS_TABLE_DEFINITION } from '../src/table-definition.ts';

const engine = dynamoDbLocalEngine();

describe.skipIf(engine.skipped !== undefined)(engineTitle('the event store', engine), () => {
  let dynamoDb: TestDynamoDb;
  let tableName: string;
  beforeAll(async () => {
    dynamoDb = await engine.start();
    tableName = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
  });
  afterAll(() => dynamoDb?.close());

  describe.each([
    ['batched items, fast requests', fastRequests, batchedItems],
    ['single items, the SDK’s requests', sdkRequests, singleItems],
  ])('with %s', (_, requestsOf, itemsOf) => {
    describeEventStore(async () => {
      const items = itemsOf(requestsOf(dynamoDb.client));
      const name = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
      return { store: dynamoDbEventStore(dynamoDb.client, { tableName: name, items }) };
    });
  });

  const measured = (): ItemClient => singleItems(fastRequests(dynamoDb.client), { measure: true });

  const pageOf = (arrived: readonly ArrivedEvent[]) => {
    const plan = planPage(newDevice(DEVICE), SHARDS[0], arrived);
    if (plan.kind !== 'page') throw new Error('nothing is new');
    return plan.page;
  };

  it.each([1, 5, 10, 25])('charges a page of %i ordinary events one write unit', async (count) => {
    const name = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
    const store = dynamoDbEventStore(dynamoDb.client, { tableName: name, items: measured() });
    const events = Array.from({ length: count }, (_, index) =>
      arrivedEvent({
        session: 3,
        counter: 1_042 + index,
        at: 7 * index + 1,
        data: { speedMph: (index * 37) % 61, routeId: '1', latitude: 30.19 + index / 977, load: index % 4 },
      }),
    );
    expect(await store.appendPage(pageOf(events))).toEqual({ outcome: 'appended', writeUnits: 1 });
  });

  it.each<[string, AttributeValue]>([
    ['a text', { S: 'é' }],
    ['a time', { N: '1490072431123' }],
    ['a round time', { N: '1490072431000' }],
    ['zero', { N: '0' }],
    ['a negative number', { N: '-17.25' }],
    ['a number with an odd half', { N: '1.5' }],
    ['a small number', { N: '5e-7' }],
    ['a large number', { N: '1.25e+21' }],
    ['a boolean', { BOOL: true }],
    ['nothing', { NULL: true }],
    ['an empty list', { L: [] }],
    ['a list', { L: [{ S: 'a' }, { N: '3' }, { L: [] }] }],
    ['a map', { M: { name: { S: 'value' }, other: { M: {} } } }],
    ['bytes', { B: new Uint8Array(17) }],
  ])('charges %s by the size that is reckoned here, to the byte', async (name, value) => {
    const item = (filler: number, key: string): Item => ({
      deviceId: { S: name },
      key: { S: key },
      value,
      filler: { S: 'x'.repeat(filler) },
    });
    const filler = 1_024 - itemBytes(item(0, 'A'));
    const put = async (sized: Item) => {
      const { ConsumedCapacity } = await dynamoDb.client.send(
        new PutItemCommand({ TableName: tableName, Item: sized, ReturnConsumedCapacity: 'TOTAL' }),
      );
      return ConsumedCapacity?.CapacityUnits;
    };
    expect(writeUnits(1_024)).toBe(1);
    expect(await put(item(filler, 'A'))).toBe(1);
    expect(writeUnits(1_025)).toBe(2);
    expect(await put(item(filler + 1, 'B'))).toBe(2);
  });

  it('charges pages what is reckoned here, compressed or not', async () => {
    const name = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
    const store = dynamoDbEventStore(dynamoDb.client, { tableName: name, items: measured() });
    for (let count = 1; count <= 60; count += 3) {
      const device = `device-${count}`;
      const events = Array.from({ length: count }, (_, index) =>
        arrivedEvent({
          deviceId: device,
          session: 1,
          counter: index,
          at: 1 + index * count,
          data: { a: Math.sin(index * count), b: Math.cos(index), text: 'x'.repeat((index * 31) % 200) },
        }),
      );
      const plan = planPage(newDevice(events[0]?.event.deviceId ?? DEVICE), SHARDS[1], events);
      if (plan.kind !== 'page') throw new Error('nothing is new');
      const units = writeUnits(itemBytes(encodePage(plan.page)));
      expect(await store.appendPage(plan.page)).toEqual({ outcome: 'appended', writeUnits: units });
    }
  });

  it('says which failures are worth another try', async () => {
    const name = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
    await dynamoDb.client.send(new DeleteTableCommand({ TableName: name }));
    const store = dynamoDbEventStore(dynamoDb.client, { tableName: name });
    await expect(store.appendPage(pageOf([arrivedEvent({ at: 1 })]))).rejects.toMatchObject({
      code: 'DYNAMODB_REFUSED',
      retryable: false,
    });
  });
});
