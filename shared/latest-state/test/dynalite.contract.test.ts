import type { BatchGetItemCommandInput } from '@aws-sdk/client-dynamodb';
import {
  dynaliteEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import type { Clock } from '@twinstream/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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

  describeShardProgressTable(async () => {
    const tableName = await dynamoDb.createTable(SHARD_PROGRESS_TABLE_DEFINITION);
    return { table: dynamoDbShardProgressTable(dynamoDb.client, { tableName }) };
  });

  describe('keys that come back unprocessed', () => {
    /** Lets so many keys of each BatchGetItem through and hands the others back, as a throttled table does. */
    const throttleTo = (keysMax: number) => {
      let calls = 0;
      dynamoDb.client.middlewareStack.add(
        (next, { commandName }) =>
          async (call) => {
            if (commandName !== 'BatchGetItemCommand') return next(call);
            calls += 1;
            const input = call.input as BatchGetItemCommandInput;
            const [[name, { Keys = [] }] = ['', { Keys: [] }]] = Object.entries(input.RequestItems ?? {});
            const rest = { UnprocessedKeys: { [name]: { Keys: Keys.slice(keysMax) } } };
            if (keysMax === 0) return { response: {}, output: { $metadata: {}, ...rest } };
            const allowed = { ...input, RequestItems: { [name]: { Keys: Keys.slice(0, keysMax) } } };
            const { output, response } = await next({ ...call, input: allowed });
            return { response, output: Object.assign(output, rest) };
          },
        { step: 'initialize', name: 'throttle' },
      );
      return () => calls;
    };
    afterEach(() => {
      dynamoDb.client.middlewareStack.remove('throttle');
    });

    const openTable = async (count: number) => {
      const tableName = await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION);
      const waitsMs: number[] = [];
      const clock: Clock = {
        now: () => 0,
        sleep: async (ms) => {
          waitsMs.push(ms);
        },
      };
      const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName, clock, random: () => 0.5 });
      for (let n = 0; n < count; n += 1) await table.write(await reported(`bus-${n}`, { site: 'here' }));
      return { table, waitsMs };
    };

    it('are asked for again, after a wait', async () => {
      const { table, waitsMs } = await openTable(5);
      const calls = throttleTo(2);
      const { devices } = await table.list({ site: 'here', limit: 10 });
      expect(devices.map(({ deviceId }) => deviceId)).toEqual(['bus-0', 'bus-1', 'bus-2', 'bus-3', 'bus-4']);
      expect(calls()).toBe(3);
      expect(waitsMs).toEqual([12.5, 25]);
    });

    it('are given up as throttled in the end', async () => {
      const { table, waitsMs } = await openTable(1);
      throttleTo(0);
      const failure = { code: 'DYNAMODB_THROTTLED', retryable: true };
      await expect(table.list({ site: 'here', limit: 10 })).rejects.toMatchObject(failure);
      expect(waitsMs).toHaveLength(7);
    });
  });
});
