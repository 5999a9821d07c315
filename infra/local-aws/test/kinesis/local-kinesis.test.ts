import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeStreamSummaryCommand, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { expect, test } from 'vitest';
import { type LocalKinesis, startLocalKinesis } from '../../src/kinesis/index.ts';

const clientOf = ({ url }: LocalKinesis) =>
  kinesisClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
const put = (StreamName: string) =>
  new PutRecordCommand({ StreamName, PartitionKey: 'sensor-1', Data: Buffer.from('21.5') });

test('has its stream, active, and shows what it holds', async () => {
  await using kinesis = await startLocalKinesis({ stream: 'devices', shards: 3 });
  const client = clientOf(kinesis);
  const { StreamDescriptionSummary } = await client.send(
    new DescribeStreamSummaryCommand({ StreamName: 'devices' }),
  );
  expect(StreamDescriptionSummary).toMatchObject({ StreamStatus: 'ACTIVE', OpenShardCount: 3 });
  const { ShardId } = await client.send(put('devices'));
  const holding = kinesis.records().filter(({ records }) => records.length > 0);
  expect(holding).toMatchObject([{ shardId: ShardId, records: [{ partitionKey: 'sensor-1' }] }]);
  expect(() => kinesis.records('other')).toThrow(RangeError);
});

test('injects the faults it was given, and those that replace them', async () => {
  await using kinesis = await startLocalKinesis({
    faults: [{ service: 'kinesis', operation: 'PutRecord', kind: 'error', rate: 1, count: 1 }],
  });
  const client = clientOf(kinesis);
  await expect(client.send(put('local'))).rejects.toMatchObject({ name: 'InternalFailure' });
  await client.send(put('local'));
  expect(kinesis.faultReport()).toMatchObject([{ injected: 1 }]);
  kinesis.setFaults([{ service: 'kinesis', kind: 'throttle', rate: 1 }]);
  await expect(client.send(put('local'))).rejects.toMatchObject({
    name: 'ProvisionedThroughputExceededException',
  });
});

test('finds its stream in the data folder again', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'twinstream-local-kinesis-'));
  try {
    const first = await startLocalKinesis({ dataDir, shards: 2 });
    await clientOf(first).send(put('local'));
    await first.close();
    await using second = await startLocalKinesis({ dataDir, shards: 5 });
    expect(
      second
        .records()
        .map(({ records }) => records.length)
        .sort(),
    ).toEqual([0, 1]);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('refuses invalid options, and names them', async () => {
  await expect(startLocalKinesis({ shards: 0 })).rejects.toMatchObject({ code: 'INVALID_LOCAL_KINESIS' });
  await expect(
    startLocalKinesis({ faults: [{ service: 'kinesis', kind: 'error', rate: 2 }] }),
  ).rejects.toMatchObject({ code: 'INVALID_FAULT_RULES', message: expect.stringContaining('rules[0].rate') });
});
