import { describe, expect, test, vi } from 'vitest';
import { batchedItems } from '../src/dynamodb/batched-items.ts';
import type { BatchGetItemInput, DynamoDbRequests } from '../src/dynamodb/dynamodb-requests.ts';

const META = { $metadata: {} };
const refuse = () => Promise.reject(new Error('not asked for here'));
const requestsWith = (own: Partial<DynamoDbRequests>): DynamoDbRequests => ({
  getItem: refuse,
  putItem: refuse,
  updateItem: refuse,
  batchGetItem: refuse,
  batchExecuteStatement: refuse,
  ...own,
});
const clock = { sleep: async () => undefined };
const insertOf = (n: number) => ({
  tableName: n % 2 === 0 ? 'even' : 'odd',
  keyNames: ['id'] as const,
  item: { id: { S: `item-${n}` }, body: { S: 'x'.repeat(n < 4 ? 10 : 1_500) } },
});

describe('batched items', () => {
  test('reads of a thousand uncached devices take ten requests, and what comes back unprocessed is read again', async () => {
    let isThrottled = true;
    const batchGetItem = vi.fn(async ({ RequestItems = {} }: BatchGetItemInput) => {
      const { Keys = [] } = RequestItems.states ?? {};
      const served = isThrottled ? Keys.slice(0, 50) : Keys;
      const UnprocessedKeys = isThrottled ? { states: { Keys: Keys.slice(50) } } : {};
      isThrottled = false;
      return {
        ...META,
        Responses: { states: served.map((key) => ({ ...key, page: { N: '1' } })) },
        UnprocessedKeys,
      };
    });
    const items = batchedItems(requestsWith({ batchGetItem }), { clock });
    const ids = Array.from({ length: 1_000 }, (_, n) => `device-${n}`);
    const found = await Promise.all(
      ids.map((id) => items.get({ tableName: 'states', key: { deviceId: { S: id } } })),
    );
    expect(found.map((item) => item?.deviceId?.S)).toEqual(ids);
    expect(batchGetItem).toHaveBeenCalledTimes(11);
    expect(batchGetItem.mock.calls.every(([input]) => input.RequestItems?.states?.ConsistentRead)).toBe(true);
  });

  test('a throttled statement is sent again by itself, and no other is', async () => {
    const sent: number[] = [];
    const batchExecuteStatement = async ({
      Statements,
    }: Parameters<DynamoDbRequests['batchExecuteStatement']>[0]) => {
      sent.push(Statements.length);
      const isFirst = sent.length === 1;
      const throttled = { Error: { Code: 'ThrottlingError', Message: 'later' } } as const;
      return { ...META, Responses: Statements.map((_, n) => (isFirst && n === 2 ? throttled : {})) };
    };
    const items = batchedItems(requestsWith({ batchExecuteStatement }), { clock });
    const results = await Promise.all([0, 1, 2, 3].map((n) => items.insert(insertOf(n))));
    expect(results).toEqual(Array.from({ length: 4 }, () => ({ outcome: 'inserted' })));
    expect(sent).toEqual([4, 1]);
  });

  test('write units are those of the item’s size, and of what the answer says of its table', async () => {
    const answers = [{}, { ConsumedCapacity: [{ TableName: 'even', CapacityUnits: 9 }] }];
    const batchExecuteStatement = async ({
      Statements,
    }: Parameters<DynamoDbRequests['batchExecuteStatement']>[0]) => ({
      ...META,
      ...answers.shift(),
      Responses: Statements.map(() => ({})),
    });
    const items = batchedItems(requestsWith({ batchExecuteStatement }), { clock, measure: true });
    const unitsOf = async () => {
      const results = await Promise.all([0, 1, 4].map((n) => items.insert(insertOf(n))));
      return results.map((result) => (result.outcome === 'inserted' ? result.writeUnits : undefined));
    };
    expect(await unitsOf()).toEqual([1, 1, 2]);
    expect(await unitsOf()).toEqual([3, 1, 6]);
  });
});
