import { decodeEvent, deviceId, newDevice } from '@twinstream/device-model';
import { createLogger } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { createCanary } from '../../src/canary-device/handler.ts';

const ID = deviceId('canary');
const NOW = Date.parse('2026-12-01T10:01:00.250Z');

function canary({ reportedAt, taken = true }: { reportedAt?: string; taken?: boolean }) {
  const lines: Record<string, unknown>[] = [];
  const put: { partitionKey: string; data: Uint8Array }[] = [];
  const version = { session: -1, counter: -1, ordinal: 1, revision: 0 };
  const state = { ...newDevice(ID), lastEventTime: { value: reportedAt ?? '', version } };
  const run = createCanary({
    deviceId: ID,
    streamName: 'stream',
    states: { read: async () => (reportedAt === undefined ? undefined : state) },
    put: async (record) => {
      if (!taken) throw new Error('throttled');
      put.push(record);
    },
    clock: { now: () => NOW },
    logger: createLogger('canary', 'info', { write: (line: string) => lines.push(JSON.parse(line)) }),
  });
  return { run, lines, put };
}

test('tells how old its state is, as a metric of the stream, and reports again', async () => {
  const { run, lines, put } = canary({ reportedAt: '2026-12-01T09:59:58.250Z' });
  await run();
  expect(lines).toMatchObject([
    {
      streamName: 'stream',
      stateAgeMs: 62_000,
      _aws: {
        Timestamp: NOW,
        CloudWatchMetrics: [
          {
            Namespace: 'Twinstream/Canary',
            Dimensions: [['streamName']],
            Metrics: [{ Name: 'stateAgeMs', Unit: 'Milliseconds' }],
          },
        ],
      },
    },
  ]);
  expect(put.map(({ partitionKey }) => partitionKey)).toEqual([ID]);
  expect(decodeEvent(put[0]?.data ?? new Uint8Array())).toMatchObject({
    event: { deviceId: ID, type: 'reported', time: '2026-12-01T10:01:00.250Z' },
  });
});

test('tells nothing before it has a state, and reports', async () => {
  const { run, lines, put } = canary({});
  await run();
  expect([lines.length, put.length]).toEqual([0, 1]);
});

test('fails where the stream does not take its report, after it has told the age', async () => {
  const { run, lines } = canary({ reportedAt: '2026-12-01T09:00:00Z', taken: false });
  await expect(run()).rejects.toThrow('throttled');
  expect(lines).toHaveLength(1);
});
