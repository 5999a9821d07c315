import { steppingClock } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { base64, call, iteratorOf, readTexts, refusalOf, startServer } from './embedded-server.ts';

const MIB = 1024 * 1024;

async function limitedServer() {
  const clock = steppingClock();
  const server = await startServer({ clock, limitsEnforced: true });
  await call(server, 'CreateStream', { StreamName: 's', ShardCount: 2 });
  const putAll = (Records: readonly object[]) => call(server, 'PutRecords', { StreamName: 's', Records });
  return { clock, server, putAll };
}

/** A record for shard 0 or 1. */
function record(shard: 0 | 1, bytes: number) {
  const ExplicitHashKey = shard === 0 ? '0' : `${2n ** 128n - 1n}`;
  return { PartitionKey: 'k', ExplicitHashKey, Data: Buffer.alloc(bytes).toString('base64') };
}

describe('limits of shards', () => {
  it('refuse the records of the busy shard alone, and all is taken a second later', async () => {
    const { clock, server, putAll } = await limitedServer();
    const batch = (shard: 0 | 1) => Array.from({ length: 500 }, () => record(shard, 1));
    expect((await putAll(batch(0))).FailedRecordCount).toBe(0);
    expect((await putAll(batch(0))).FailedRecordCount).toBe(0);
    const mixed = await putAll([record(0, 1), record(1, 1), record(0, 1)]);
    expect(mixed.FailedRecordCount).toBe(2);
    expect(mixed.Records.map((result: object) => 'SequenceNumber' in result)).toEqual([false, true, false]);
    expect(await refusalOf(server, 'PutRecord', { StreamName: 's', ...record(0, 1) })).toBe(
      'ProvisionedThroughputExceededException',
    );
    clock.advance(1000);
    expect((await putAll(batch(0))).FailedRecordCount).toBe(0);
    expect(server.counters()).toMatchObject({ recordsAccepted: 1501, recordsThrottled: 3 });
  });

  it('count data and partition key, and let a short record pass one that is too long', async () => {
    const { putAll } = await limitedServer();
    const answer = await putAll([record(0, MIB - 11), record(0, 10), record(0, 9), record(0, 1)]);
    expect(answer.Records.map((result: object) => 'SequenceNumber' in result)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('refuse reads for as long as one that took more than a second of bytes has to be paid back', async () => {
    const { clock, server } = await limitedServer();
    for (let index = 0; index < 11; index += 1) {
      await call(server, 'PutRecord', { StreamName: 's', ...record(0, MIB - 1) });
      clock.advance(1000);
    }
    const first = await call(server, 'GetRecords', { ShardIterator: await iteratorOf(server, 's') });
    expect(first.Records).toHaveLength(10);
    const next = { ShardIterator: first.NextShardIterator };
    clock.advance(4_990);
    expect(await refusalOf(server, 'GetRecords', next)).toBe('ProvisionedThroughputExceededException');
    clock.advance(10);
    expect((await call(server, 'GetRecords', next)).Records).toHaveLength(1);
    expect(server.counters()).toMatchObject({ readsThrottled: 1, recordsRead: 11 });
  });

  it('can be switched off, and those of a single request stay', async () => {
    const server = await startServer({ limitsEnforced: false });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    for (let index = 0; index < 10; index += 1) {
      const Records = Array.from({ length: 500 }, () => ({ PartitionKey: 'k', Data: base64('x') }));
      expect((await call(server, 'PutRecords', { StreamName: 's', Records })).FailedRecordCount).toBe(0);
    }
    const ShardIterator = await iteratorOf(server, 's');
    for (let index = 0; index < 10; index += 1) {
      expect((await call(server, 'GetRecords', { ShardIterator, Limit: 700 })).Records).toHaveLength(700);
    }
    const Records = Array.from({ length: 501 }, () => ({ PartitionKey: 'k', Data: base64('x') }));
    expect(await refusalOf(server, 'PutRecords', { StreamName: 's', Records })).toBe('ValidationException');
  });
});

describe('a record', () => {
  it('is at most 1 MiB with its partition key, or what its stream allows', async () => {
    const server = await startServer();
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    await call(server, 'CreateStream', { StreamName: 'large', ShardCount: 1, MaxRecordSizeInKiB: 10_240 });
    const put = (StreamName: string, bytes: number) =>
      refusalOf(server, 'PutRecord', {
        StreamName,
        PartitionKey: 'kk',
        Data: Buffer.alloc(bytes).toString('base64'),
      });
    expect(await put('s', MIB - 2)).toBe('it was not refused');
    expect(await put('s', MIB - 1)).toBe('ValidationException');
    expect(await put('large', 10 * MIB - 2)).toBe('it was not refused');
    expect(await put('large', 10 * MIB - 1)).toBe('ValidationException');
  });
});

describe('memory without a data folder', () => {
  it('refuses what does not fit, keeps what it took, and takes more once that has expired', async () => {
    const clock = steppingClock();
    const server = await startServer({ clock, recordMemoryBytesMax: 4 * MIB });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    const put = (text: string) =>
      refusalOf(server, 'PutRecord', {
        StreamName: 's',
        PartitionKey: 'k',
        Data: base64(text.padEnd(300_000, '.')),
      });
    const taken: string[] = [];
    for (let index = 0; index < 20; index += 1) {
      if ((await put(`${index}`)) === 'it was not refused') taken.push(`${index}`);
    }
    expect(taken.length).toBeGreaterThan(3);
    expect(taken.length).toBeLessThan(15);
    expect(server.counters().recordsFailed).toBe(20 - taken.length);
    const [texts = []] = await readTexts(server, 's');
    expect(texts.map((text) => text.replaceAll('.', ''))).toEqual(taken);
    clock.advance(25 * 3_600_000);
    await call(server, 'DescribeStream', { StreamName: 's' });
    expect(await put('later')).toBe('it was not refused');
  });
});

describe('an on-demand stream', () => {
  it('starts with four shards that its owner does not change', async () => {
    const server = await startServer();
    await call(server, 'CreateStream', { StreamName: 's', StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
    const { StreamDescriptionSummary } = await call(server, 'DescribeStreamSummary', { StreamName: 's' });
    expect(StreamDescriptionSummary).toMatchObject({
      OpenShardCount: 4,
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    });
    const request = { StreamName: 's', TargetShardCount: 8, ScalingType: 'UNIFORM_SCALING' };
    expect(await refusalOf(server, 'UpdateShardCount', request)).toBe('ValidationException');
  });
});
