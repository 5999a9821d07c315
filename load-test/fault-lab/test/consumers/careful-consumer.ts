import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis';

/**
 * A consumer without a store: reads parents before children from the beginning, tries again whatever fails, and prints each record's
 * data. `--forgets-children` reads the shards that were there when it began, as a consumer does that never lists them again;
 * `--forgets-parents` does not wait until the parents of a shard are read.
 */
const forgetsChildren = process.argv.includes('--forgets-children');
const forgetsParents = process.argv.includes('--forgets-parents');
const StreamName = process.env.LAB_STREAM;
const client = new KinesisClient({ maxAttempts: 10 });
const read = new Map<string, Promise<void>>();

async function always<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch {
      // The lab's faults; whatever it is, it is asked again.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function readShard(shard: Shard): Promise<void> {
  if (!forgetsParents)
    await Promise.all([read.get(shard.ParentShardId ?? ''), read.get(shard.AdjacentParentShardId ?? '')]);
  const position = { StreamName, ShardId: shard.ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
  const first = await always(() => client.send(new GetShardIteratorCommand(position)));
  for (let iterator = first.ShardIterator; iterator !== undefined; ) {
    const ShardIterator = iterator;
    const { Records = [], NextShardIterator } = await always(() =>
      client.send(new GetRecordsCommand({ ShardIterator })),
    );
    for (const { Data } of Records) process.stdout.write(`${Buffer.from(Data ?? '').toString()}\n`);
    iterator = NextShardIterator;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

await always(() => client.send(new DescribeStreamSummaryCommand({ StreamName })));
for (let round = 0; ; round += 1) {
  const { Shards = [] } = await always(() => client.send(new ListShardsCommand({ StreamName })));
  for (const shard of Shards) {
    const { ShardId = '' } = shard;
    if (!read.has(ShardId) && (round === 0 || !forgetsChildren)) read.set(ShardId, readShard(shard));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}
