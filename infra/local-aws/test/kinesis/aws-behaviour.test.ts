import { describe, expect, it } from 'vitest';
import { base64, call, refusalOf, startServer } from './embedded-server.ts';

// Each is AWS's own behaviour where kinesis-local has another, or has none: so not in the contract that it keeps, too.

const create = async (input: object) => {
  const server = await startServer();
  await call(server, 'CreateStream', { StreamName: 's', ...input });
  return server;
};

describe('CreateStream', () => {
  it('without a shard count or mode creates an on-demand stream of 4 shards', async () => {
    const server = await create({});
    const { StreamDescriptionSummary } = await call(server, 'DescribeStreamSummary', { StreamName: 's' });
    expect(StreamDescriptionSummary).toMatchObject({
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      OpenShardCount: 4,
    });
  });

  it('refuses a provisioned stream without a shard count', async () => {
    const StreamModeDetails = { StreamMode: 'PROVISIONED' };
    expect(await refusalOf(await startServer(), 'CreateStream', { StreamName: 's', StreamModeDetails })).toBe(
      'ValidationException',
    );
  });

  it('is created with its tags', async () => {
    const server = await create({ ShardCount: 1, Tags: { team: 'fleet' } });
    const { Tags } = await call(server, 'ListTagsForStream', { StreamName: 's' });
    expect(Tags).toEqual([{ Key: 'team', Value: 'fleet' }]);
  });
});

describe('a shard', () => {
  it.each(['0', 'shardId-0', 'shardId-000000000000'])('can be named %s', async (ShardId) => {
    const server = await create({ ShardCount: 2 });
    const at = { StreamName: 's', ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    expect((await call(server, 'GetShardIterator', at)).ShardIterator).toEqual(expect.any(String));
    const { Shards } = await call(server, 'ListShards', { StreamName: 's', ExclusiveStartShardId: ShardId });
    expect(Shards.map((shard: { ShardId: string }) => shard.ShardId)).toEqual(['shardId-000000000001']);
  });
});

describe('PutRecord', () => {
  const record = { StreamName: 's', PartitionKey: 'k', Data: base64('x') };

  it('refuses a sequence number for ordering that Kinesis has never given, and takes its own', async () => {
    const server = await create({ ShardCount: 1 });
    const { SequenceNumber } = await call(server, 'PutRecord', record);
    await call(server, 'PutRecord', { ...record, SequenceNumberForOrdering: SequenceNumber });
    expect(await refusalOf(server, 'PutRecord', { ...record, SequenceNumberForOrdering: '17' })).toBe(
      'InvalidArgumentException',
    );
  });

  it('refuses Base64 that is not canonical', async () => {
    const server = await create({ ShardCount: 1 });
    expect(await refusalOf(server, 'PutRecord', { ...record, Data: 'YR==' })).toBe('SerializationException');
  });
});

describe('ListShards', () => {
  it('takes a token alone: neither name nor ARN beside it', async () => {
    const server = await create({ ShardCount: 3 });
    const { StreamDescriptionSummary } = await call(server, 'DescribeStreamSummary', { StreamName: 's' });
    const { StreamARN } = StreamDescriptionSummary;
    const { NextToken } = await call(server, 'ListShards', { StreamARN, MaxResults: 1 });
    for (const address of [{ StreamName: 's' }, { StreamARN }]) {
      expect(await refusalOf(server, 'ListShards', { ...address, NextToken })).toBe(
        'InvalidArgumentException',
      );
    }
    expect((await call(server, 'ListShards', { NextToken })).Shards).toHaveLength(2);
  });
});

describe('a stream that is UPDATING', () => {
  it('shows its shards as they were and takes records, and has others when it is ACTIVE', async () => {
    const server = await startServer({ transitionMs: 300 });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    const summary = async () =>
      (await call(server, 'DescribeStreamSummary', { StreamName: 's' })).StreamDescriptionSummary;
    const untilActive = () =>
      expect
        .poll(async () => (await summary()).StreamStatus, { timeout: 5_000, interval: 20 })
        .toBe('ACTIVE');
    await untilActive();
    const ids = async () =>
      (await call(server, 'ListShards', { StreamName: 's' })).Shards.map(
        ({ ShardId }: { ShardId: string }) => ShardId,
      );
    await call(server, 'SplitShard', {
      StreamName: 's',
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: '1000',
    });
    expect(await summary()).toMatchObject({ StreamStatus: 'UPDATING', OpenShardCount: 1 });
    expect(await ids()).toEqual(['shardId-000000000000']);
    const put = await call(server, 'PutRecord', { StreamName: 's', PartitionKey: 'k', Data: base64('x') });
    expect(put.ShardId).toBe('shardId-000000000000');
    await untilActive();
    expect(await summary()).toMatchObject({ OpenShardCount: 2 });
    expect(await ids()).toHaveLength(3);
  });
});
