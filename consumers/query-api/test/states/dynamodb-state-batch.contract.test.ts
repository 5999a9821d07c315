import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { type DeviceState, deviceId, newDevice } from '@twinstream/device-model';
import {
  dynaliteEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { DEVICE_STATE_TABLE_DEFINITION, dynamoDbLatestStateTable } from '@twinstream/latest-state';
import { describeLatestStateTable } from '@twinstream/latest-state/contract';
import { systemClock } from '@twinstream/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coalescedReads } from '../../src/states/coalesced-reads.ts';
import { dynamoDbStateBatch, STATE_BATCH_MAX } from '../../src/states/dynamodb-state-batch.ts';

describe(engineTitle('states read in batches', dynaliteEngine), () => {
  let dynamoDb: TestDynamoDb;
  beforeAll(async () => {
    dynamoDb = await dynaliteEngine.start();
  });
  afterAll(() => dynamoDb?.close());

  async function batchedTable() {
    const { client } = dynamoDb;
    const tableName = await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION);
    const readBatch = dynamoDbStateBatch({ client, tableName, clock: systemClock, random: Math.random });
    const { read } = coalescedReads({ readBatch, batchMax: STATE_BATCH_MAX });
    return { tableName, table: { ...dynamoDbLatestStateTable(client, { tableName }), read } };
  }

  // A table whose single reads are batched is held to the contract of every other one.
  describeLatestStateTable(batchedTable);

  test('read a hundred and more in one call', async () => {
    const { table } = await batchedTable();
    const states: DeviceState[] = Array.from({ length: 130 }, (_, n) => ({
      ...newDevice(deviceId(`d-${n}`)),
      page: n + 1,
    }));
    await Promise.all(states.map((state) => table.write(state)));
    const read = await Promise.all(
      [...states, newDevice(deviceId('nobody'))].map((state) => table.read(state.deviceId)),
    );
    expect(read.map((state) => state?.page)).toEqual([...states.map(({ page }) => page), undefined]);
  });

  test('name a damaged item, and read its neighbours', async () => {
    const { table, tableName } = await batchedTable();
    await table.write({ ...newDevice(deviceId('sound')), page: 1 });
    const Item = { deviceId: { S: 'damaged' }, page: { S: 'x' } };
    await dynamoDb.client.send(new PutItemCommand({ TableName: tableName, Item }));
    const [sound, damaged] = await Promise.allSettled([
      table.read(deviceId('sound')),
      table.read(deviceId('damaged')),
    ]);
    expect(sound).toMatchObject({ value: { page: 1 } });
    expect(damaged).toMatchObject({ reason: { code: 'DAMAGED_STATE' } });
  });
});
