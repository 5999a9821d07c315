import { DynamoDBClient, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { type Item, textValue } from '@twinstream/aws/dynamodb';
import { DEVICE } from '@twinstream/test-kit';
import { describe, expect, test, vi } from 'vitest';
import { partitionKeysOf } from '../src/dynamodb-partition-keys.ts';
import { type ItemQuery, queryItems } from '../src/dynamodb-query.ts';

interface Asked {
  readonly Limit?: number;
  readonly ExclusiveStartKey?: Item;
}

/** A client that answers queries and scans with these items in their order: after the start key, at most as many as asked for. */
function clientWith(items: readonly Item[]) {
  const asked: Asked[] = [];
  const client = new DynamoDBClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const orderOf = (item: Item) => `${item.deviceId?.S}\u0000${item.key?.S}`;
  vi.spyOn(client, 'send').mockImplementation((command: unknown) => {
    if (!(command instanceof QueryCommand || command instanceof ScanCommand)) throw new TypeError('no read');
    const input: Asked = { ...command.input } as Asked;
    asked.push(input);
    const { ExclusiveStartKey: start, Limit = 1_000 } = input;
    const rest = items.filter((item) => start === undefined || orderOf(item) > orderOf(start));
    const found = rest.slice(0, Limit);
    const last = found.at(-1);
    return {
      ...(found.length === 0 ? {} : { Items: found }),
      ...(rest.length > Limit && last !== undefined ? { LastEvaluatedKey: last } : {}),
    };
  });
  return { client, asked };
}
const itemOf = (deviceId: string, key: number): Item => ({
  deviceId: textValue(deviceId),
  key: textValue(String(key).padStart(6, '0')),
});
const itemsOf = (deviceId: string, count: number) =>
  Array.from({ length: count }, (_, key) => itemOf(deviceId, key));

describe('the partition keys of a table', () => {
  const keysOf = async (items: readonly Item[]) => {
    const { client, asked } = clientWith(items);
    const keys = await Array.fromAsync(partitionKeysOf(client, 'events'));
    return { keys, asked, limits: asked.map(({ Limit }) => Limit) };
  };

  test('are none of an empty table, and are asked for by the name of the table alone', async () => {
    const { keys, asked } = await keysOf([]);
    expect(keys).toEqual([]);
    expect(asked).toEqual([{ TableName: 'events', ProjectionExpression: 'deviceId', Limit: 64 }]);
  });

  test('come once each, and a long chain is passed over in smaller steps', async () => {
    const long = [...itemsOf('a', 500), ...itemsOf('b', 500), ...itemsOf('c', 500), ...itemsOf('d', 500)];
    const { keys, limits, asked } = await keysOf([...long, ...itemsOf('e', 500), ...itemsOf('f', 3)]);
    expect(keys).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(limits).toEqual([64, 32, 16, 8, 4, 8]);
    expect(asked.map(({ ExclusiveStartKey }) => ExclusiveStartKey?.deviceId?.S)).toEqual([
      ...[undefined, 'a', 'b', 'c', 'd', 'e'],
    ]);
  });

  test('of many short chains are read in larger steps, up to a bound', async () => {
    const devices = Array.from({ length: 3_000 }, (_, n) => `d${String(n).padStart(5, '0')}`);
    const { keys, limits } = await keysOf(devices.flatMap((id) => itemsOf(id, 2)));
    expect(keys).toEqual(devices);
    expect(limits).toEqual([64, 128, 256, 512, 1_024, 1_024, 1_024, 1_024, 1_024]);
  });

  test('of chains of four items each are as dense as it takes for larger steps', async () => {
    const devices = Array.from({ length: 40 }, (_, n) => `d${String(n).padStart(5, '0')}`);
    expect((await keysOf(devices.flatMap((id) => itemsOf(id, 4)))).limits).toEqual([64, 128]);
  });
});

describe('the items of a query', () => {
  const read = async (query: ItemQuery, count = 0) => {
    const { client, asked } = clientWith(itemsOf(DEVICE, count));
    const items = await Array.fromAsync(queryItems({ client, tableName: 'events' }, query));
    return { items, asked };
  };
  const between = { deviceId: DEVICE, from: 'a', to: 'b' } as const;

  test('are asked for in key order, not consistently, with all their attributes', async () => {
    const { asked } = await read(between);
    expect(asked).toEqual([
      {
        TableName: 'events',
        KeyConditionExpression: 'deviceId = :deviceId AND #key BETWEEN :from AND :to',
        ExpressionAttributeNames: { '#key': 'key' },
        ExpressionAttributeValues: { ':deviceId': { S: DEVICE }, ':from': { S: 'a' }, ':to': { S: 'b' } },
        ScanIndexForward: true,
        ConsistentRead: false,
        Limit: 16,
      },
    ]);
  });

  test('are those below or above a key that is not one of them', async () => {
    for (const [keys, sign] of [
      [{ below: 'k' }, '<'],
      [{ above: 'k' }, '>'],
    ] as const) {
      const { asked } = await read({ deviceId: DEVICE, ...keys });
      expect(asked).toMatchObject([
        {
          KeyConditionExpression: `deviceId = :deviceId AND #key ${sign} :bound`,
          ExpressionAttributeValues: { ':deviceId': { S: DEVICE }, ':bound': { S: 'k' } },
        },
      ]);
    }
  });

  test('are none, without a request, where the bounds are the wrong way round, and one where they are equal', async () => {
    expect((await read({ ...between, from: 'c' })).asked).toEqual([]);
    expect((await read({ ...between, from: 'b' })).asked).toHaveLength(1);
  });

  test('come with the attributes that are wanted, backwards and consistently where that is asked for', async () => {
    const { asked } = await read({
      ...between,
      falls: true,
      consistent: true,
      attributes: ['key', 'shardId'],
    });
    expect(asked).toMatchObject([
      { ScanIndexForward: false, ConsistentRead: true, ProjectionExpression: '#key, shardId' },
    ]);
  });

  test('of a bounded number are filtered, and each fetch ends where DynamoDB ends it', async () => {
    const { asked } = await read({ ...between, atMost: { attribute: 'firstEventTime', value: 7 } });
    expect(asked[0]).toMatchObject({
      FilterExpression: '#atMost <= :atMost',
      ExpressionAttributeNames: { '#key': 'key', '#atMost': 'firstEventTime' },
      ExpressionAttributeValues: { ':atMost': { N: '7' } },
    });
    expect(asked[0]).not.toHaveProperty('Limit');
  });

  test('are fetched as they are consumed, each time four times as many, up to a bound', async () => {
    const { items, asked } = await read(between, 12_000);
    expect(items).toHaveLength(12_000);
    expect(asked.map(({ Limit }) => Limit)).toEqual([16, 64, 256, 1_024, 4_096, 4_096, 4_096]);
    expect(asked.map(({ ExclusiveStartKey }) => Number(ExclusiveStartKey?.key?.S ?? -1))).toEqual([
      ...[-1, 15, 79, 335, 1_359, 5_455, 9_551],
    ]);
    const first = await read({ ...between, firstFetchItems: 1 }, 10);
    expect(first.asked.map(({ Limit }) => Limit)).toEqual([1, 4, 16]);
  });
});
