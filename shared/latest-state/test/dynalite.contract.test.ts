import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AdvanceRequest, ItemClient } from '@twinstream/aws/dynamodb';
import { type DeviceId, deviceId } from '@twinstream/device-model';
import {
  dynaliteEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeLatestStateTable, describeShardProgressTable, reported } from '../contract/index.ts';
import { dynamoDbLatestStateTable } from '../src/dynamodb-latest-state.ts';
import { dynamoDbShardProgressTable } from '../src/dynamodb-shard-progress.ts';
import { DEVICE_STATE_TABLE_DEFINITION, SHARD_PROGRESS_TABLE_DEFINITION } from '../src/table-definitions.ts';

describe(engineTitle('the tables', dynaliteEngine), () => {
  let dynamoDb: TestDynamoDb;
  beforeAll(async () => {
    dynamoDb = await dynaliteEngine.start();
  });
  afterAll(() => dynamoDb?.close());

  describeLatestStateTable(async () => {
    const tableName = await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION);
    return { table: dynamoDbLatestStateTable(dynamoDb.client, { tableName }) };
  });

  it('refuses a state that no item can hold, at the bound of an item, in a write and in a repair', async () => {
    const tableName = await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION);
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName });
    const state = await reported('bus-1', { image: 'x' });
    const { bytes, bytesMax } = table.sizeOf(state);
    const version = { session: 1, counter: 1, ordinal: 0, revision: 0 };
    const of = (length: number) => ({
      ...state,
      attributes: new Map([['image', { value: 'x'.repeat(length), version }]]),
    });
    const largest = of(1 + bytesMax - bytes);
    const larger = of(2 + bytesMax - bytes);
    expect(table.sizeOf(largest).bytes).toBe(bytesMax);
    const tooLarge = { code: 'STATE_TOO_LARGE', retryable: false };
    await expect(table.write(larger)).rejects.toMatchObject(tooLarge);
    await expect(table.replace(larger, 'none')).rejects.toMatchObject(tooLarge);
    await expect(table.replace(larger, 'damaged')).rejects.toMatchObject(tooLarge);
    expect(await table.replace(largest, 'none')).toBe('replaced');
  });

  it('passes on why a write or a repair failed that is not about the size', async () => {
    const tableName = 'nowhere';
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName });
    const state = await reported('bus-1', { speedMph: 1 });
    const missing = { name: 'ResourceNotFoundException' };
    await expect(table.write(state)).rejects.not.toMatchObject({ code: 'STATE_TOO_LARGE' });
    await expect(table.replace(state, 'none')).rejects.toSatisfy(
      (error: Error) => error.name === missing.name || (error.cause as Error)?.name === missing.name,
    );
  });

  it('reads a state and its audit consistently unless it may be old, under the signal of the caller', async () => {
    const asked: unknown[] = [];
    const advanced: AdvanceRequest[] = [];
    const items: ItemClient = {
      get: async ({ consistent }, signal) => {
        asked.push([consistent, signal]);
        return undefined;
      },
      insert: async () => ({ outcome: 'inserted' }),
      advance: async (request) => {
        advanced.push(request);
        return { outcome: 'advanced', ...(advanced.length === 1 ? { writeUnits: 3 } : {}) };
      },
    };
    const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName: 'states', items });
    const { signal } = new AbortController();
    const [id] = ['bus-1'].map((name) => deviceId(name)) as [DeviceId];
    await table.read(id);
    await table.read(id, { consistent: false, signal });
    await table.audit(id, signal);
    expect(asked).toEqual([
      [true, undefined],
      [false, signal],
      [true, signal],
    ]);
    const first = await reported('bus-1', { speedMph: 1 });
    expect(await table.write(first)).toEqual({ outcome: 'written', writeUnits: 3 });
    expect(await table.write({ ...first, page: 2 })).toEqual({ outcome: 'written' });
    expect(advanced.map(({ isFirst }) => isFirst)).toEqual([true, false]);
  });

  it('reads shard progress consistently, and names an item of it that is damaged', async () => {
    const tableName = await dynamoDb.createTable(SHARD_PROGRESS_TABLE_DEFINITION);
    const table = dynamoDbShardProgressTable(dynamoDb.client, { tableName });
    const Item = { streamName: { S: 's' }, shardId: { S: 'shardId-000000000000' } };
    await dynamoDb.client.send(new PutItemCommand({ TableName: tableName, Item }));
    const send = vi.spyOn(dynamoDb.client, 'send');
    await expect(table.read('s')).rejects.toMatchObject({
      ...{ code: 'DAMAGED_PROGRESS', cause: expect.any(Error) },
    });
    expect(send.mock.calls[0]?.[0].input).toMatchObject({ ConsistentRead: true });
    send.mockRestore();
  });

  describeShardProgressTable(async () => {
    const tableName = await dynamoDb.createTable(SHARD_PROGRESS_TABLE_DEFINITION);
    return { table: dynamoDbShardProgressTable(dynamoDb.client, { tableName }) };
  });
});
