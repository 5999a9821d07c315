import { deviceId, newDevice } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { describeLatestStateTable, describeShardProgressTable } from '../contract/index.ts';
import { memoryLatestStateTable } from '../src/memory-latest-state.ts';
import { memoryShardProgressTable } from '../src/memory-shard-progress.ts';

describe('the latest-state table in memory', () => {
  describeLatestStateTable(async () => ({ table: memoryLatestStateTable() }));
});

describe('the shard-progress table in memory', () => {
  describeShardProgressTable(async () => ({ table: memoryShardProgressTable() }));
});

test('lists in memory go by the ids of devices, and end where all are shown', async () => {
  const table = memoryLatestStateTable();
  for (const id of ['c', 'a', 'b']) await table.write({ ...newDevice(deviceId(id)), page: 1 });
  const { devices, cursor } = await table.list({ limit: 2 });
  expect(devices.map((device) => device.deviceId)).toEqual(['a', 'b']);
  const rest = await table.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
  expect(rest.devices.map((device) => device.deviceId)).toEqual(['c']);
  expect(rest.cursor).toBeUndefined();
});
