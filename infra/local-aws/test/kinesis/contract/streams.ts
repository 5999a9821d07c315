import {
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetShardIteratorCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListShardsCommand,
  ListStreamsCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { evenRanges } from '@twinstream/stream-model';
import { expect } from 'vitest';
import { type Facts, present, refusal, type Stage, until } from './subject.ts';

async function summary(stage: Stage, StreamName: string) {
  const answer = await stage.client.send(new DescribeStreamSummaryCommand({ StreamName }));
  return present(answer.StreamDescriptionSummary);
}

export const streamFacts: Facts = {
  'a created stream becomes ACTIVE with even shards that cover every hash key': async (stage) => {
    const shards = await stage.shards(await stage.stream(3));
    expect(shards.map(({ ShardId }) => ShardId)).toEqual(
      [0, 1, 2].map((index) => `shardId-00000000000${index}`),
    );
    expect(shards.map(({ HashKeyRange }) => HashKeyRange)).toEqual(
      evenRanges(3).map(({ start, end }) => ({ StartingHashKey: `${start}`, EndingHashKey: `${end}` })),
    );
    for (const { SequenceNumberRange, ParentShardId } of shards) {
      expect(SequenceNumberRange?.StartingSequenceNumber).toMatch(/^\d{56}$/);
      expect(SequenceNumberRange?.EndingSequenceNumber).toBeUndefined();
      expect(ParentShardId).toBeUndefined();
    }
  },

  'a new stream keeps records 24 hours, is provisioned and not encrypted': async (stage) => {
    const name = await stage.stream(2);
    const described = await summary(stage, name);
    expect(described).toMatchObject({
      StreamName: name,
      RetentionPeriodHours: 24,
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      OpenShardCount: 2,
    });
    expect(described.EncryptionType ?? 'NONE').toBe('NONE');
    expect(described.StreamARN).toMatch(/^arn:aws:kinesis:[a-z0-9-]+:\d{12}:stream\//);
    expect(Math.abs(present(described.StreamCreationTimestamp).getTime() - Date.now())).toBeLessThan(120_000);
  },

  'a name that is taken is refused': async (stage) => {
    const StreamName = await stage.stream(1);
    expect(await refusal(stage.client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 })))).toBe(
      'ResourceInUseException',
    );
  },

  'a name with a forbidden character and a shard count of 0 are refused': async (stage) => {
    const create = (StreamName: string, ShardCount: number) =>
      refusal(stage.client.send(new CreateStreamCommand({ StreamName, ShardCount })));
    for (const [name, count] of [
      ['a b', 1],
      ['contract-no-shards', 0],
    ] as const) {
      expect(await create(name, count)).toMatch(/^(ValidationException|InvalidArgumentException)$/);
    }
  },

  'a stream that is not there is not found, and not created by a put': async (stage) => {
    const StreamName = 'twinstream-contract-absent';
    const Data = Buffer.from('x');
    const calls = [
      stage.client.send(new DescribeStreamCommand({ StreamName })),
      stage.client.send(new DescribeStreamSummaryCommand({ StreamName })),
      stage.client.send(new ListShardsCommand({ StreamName })),
      stage.client.send(new PutRecordCommand({ StreamName, Data, PartitionKey: 'k' })),
      stage.client.send(new PutRecordsCommand({ StreamName, Records: [{ Data, PartitionKey: 'k' }] })),
      stage.client.send(new DeleteStreamCommand({ StreamName })),
      stage.client.send(
        new GetShardIteratorCommand({
          StreamName,
          ShardId: 'shardId-000000000000',
          ShardIteratorType: 'LATEST',
        }),
      ),
    ];
    for (const call of calls) expect(await refusal(call)).toBe('ResourceNotFoundException');
  },

  'the ARN addresses a stream in place of its name': async (stage) => {
    const name = await stage.stream(1);
    const { StreamARN } = await summary(stage, name);
    const described = await stage.client.send(new DescribeStreamCommand({ StreamARN }));
    expect(described.StreamDescription?.StreamName).toBe(name);
    await stage.client.send(
      new PutRecordCommand({ StreamARN, PartitionKey: 'k', Data: Buffer.from('by ARN') }),
    );
    const { Shards = [] } = await stage.client.send(new ListShardsCommand({ StreamARN }));
    const { ShardIterator } = await stage.client.send(
      new GetShardIteratorCommand({
        StreamARN,
        ShardId: present(Shards[0]?.ShardId),
        ShardIteratorType: 'TRIM_HORIZON',
      }),
    );
    expect(await stage.readUntil(present(ShardIterator), 1)).toMatchObject([{ text: 'by ARN' }]);
  },

  'streams are listed by name, page by page': async (stage) => {
    const names = [await stage.stream(1), await stage.stream(1), await stage.stream(1)].sort();
    const [first = '', second = '', third = ''] = names;
    const page = await stage.client.send(
      new ListStreamsCommand({ Limit: 1, ExclusiveStartStreamName: first }),
    );
    expect(page).toMatchObject({ StreamNames: [second], HasMoreStreams: true });
    const next = await stage.client.send(
      new ListStreamsCommand({ Limit: 1, ExclusiveStartStreamName: second }),
    );
    expect(next.StreamNames).toEqual([third]);
  },

  'a list of streams goes on with its token and carries summaries': async (stage) => {
    const names = [await stage.stream(1), await stage.stream(1)].sort();
    const before = present(names[0]).slice(0, -1);
    const page = await stage.client.send(
      new ListStreamsCommand({ Limit: 1, ExclusiveStartStreamName: before }),
    );
    expect(page.StreamSummaries).toMatchObject([
      { StreamName: page.StreamNames?.[0], StreamStatus: 'ACTIVE' },
    ]);
    const next = await stage.client.send(
      new ListStreamsCommand({ Limit: 1, NextToken: present(page.NextToken) }),
    );
    expect(present(next.StreamNames?.[0]) > present(page.StreamNames?.[0])).toBe(true);
  },

  'the shards of a stream are described page by page': async (stage) => {
    const StreamName = await stage.stream(3);
    const describe = async (ExclusiveStartShardId?: string) => {
      const request = { StreamName, Limit: 2, ...(ExclusiveStartShardId ? { ExclusiveStartShardId } : {}) };
      return (await stage.client.send(new DescribeStreamCommand(request))).StreamDescription;
    };
    const page = await describe();
    expect(page).toMatchObject({ HasMoreShards: true, Shards: [{}, {}] });
    const last = await describe(present(page?.Shards?.[1]?.ShardId));
    expect(last).toMatchObject({ HasMoreShards: false, Shards: [{ ShardId: 'shardId-000000000002' }] });
  },

  'the retention grows and shrinks between 24 and 8760 hours': async (stage) => {
    const StreamName = await stage.stream(1);
    const increase = (RetentionPeriodHours: number) =>
      stage.client.send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours }));
    const decrease = (RetentionPeriodHours: number) =>
      stage.client.send(new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours }));
    await increase(168);
    await stage.untilActive(StreamName);
    expect((await summary(stage, StreamName)).RetentionPeriodHours).toBe(168);
    expect(await refusal(increase(48))).toBe('InvalidArgumentException');
    expect(await refusal(increase(8761))).toBe('InvalidArgumentException');
    await decrease(48);
    await stage.untilActive(StreamName);
    expect((await summary(stage, StreamName)).RetentionPeriodHours).toBe(48);
    expect(await refusal(decrease(72))).toBe('InvalidArgumentException');
    expect(await refusal(decrease(23))).toBe('InvalidArgumentException');
  },

  'a deleted stream is gone, and its name is free again': async (stage) => {
    const StreamName = `${await stage.stream(1)}-again`;
    await stage.client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    await stage.untilActive(StreamName);
    await stage.put(StreamName, 'k', 'of the first');
    await stage.client.send(new DeleteStreamCommand({ StreamName }));
    await until('the stream is gone', stage.patienceMs, async () => {
      const answer = await refusal(stage.client.send(new DescribeStreamSummaryCommand({ StreamName })));
      return answer === 'ResourceNotFoundException';
    });
    await stage.client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    await stage.untilActive(StreamName);
    const iterator = await stage.iterator(StreamName, 'shardId-000000000000', 'TRIM_HORIZON');
    expect((await stage.read(iterator)).Records).toEqual([]);
    await stage.client.send(new DeleteStreamCommand({ StreamName }));
  },
};
