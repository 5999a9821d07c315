import {
  ListShardsCommand,
  MergeShardsCommand,
  type Shard,
  type ShardFilter,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import { HASH_KEY_MAX } from '@twinstream/stream-model';
import { expect } from 'vitest';
import { type Facts, present, refusal, type Stage } from './subject.ts';

const FIRST = 'shardId-000000000000';
const SECOND = 'shardId-000000000001';
const HALF = (HASH_KEY_MAX + 1n) / 2n;

async function split(stage: Stage, StreamName: string, ShardToSplit = FIRST, at = HALF): Promise<void> {
  await stage.client.send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey: `${at}` }));
  await stage.untilActive(StreamName);
}

async function merge(stage: Stage, StreamName: string, first: string, second: string): Promise<void> {
  await stage.client.send(
    new MergeShardsCommand({ StreamName, ShardToMerge: first, AdjacentShardToMerge: second }),
  );
  await stage.untilActive(StreamName);
}

function isOpen({ SequenceNumberRange }: Shard): boolean {
  return SequenceNumberRange?.EndingSequenceNumber === undefined;
}

function openRanges(shards: readonly Shard[]) {
  return shards
    .filter(isOpen)
    .map(({ HashKeyRange }) => ({
      start: BigInt(present(HashKeyRange?.StartingHashKey)),
      end: BigInt(present(HashKeyRange?.EndingHashKey)),
    }))
    .sort((a, b) => (a.start < b.start ? -1 : 1));
}

/** Ranges that follow on each other, cover everything and are equal but for a rounding of their ends. */
function expectEven(ranges: ReturnType<typeof openRanges>, count: number): void {
  const width = (HASH_KEY_MAX + 1n) / BigInt(count);
  expect(ranges).toHaveLength(count);
  ranges.forEach(({ start, end }, index) => {
    expect(start).toBe(index === 0 ? 0n : present(ranges[index - 1]).end + 1n);
    const difference = end - start + 1n - width;
    expect(difference).toSatisfy((value: bigint) => value >= -BigInt(count) && value <= BigInt(count));
  });
  expect(ranges.at(-1)?.end).toBe(HASH_KEY_MAX);
}

function ids(shards: readonly Shard[] | undefined): string[] {
  return (shards ?? []).map(({ ShardId }) => present(ShardId)).sort();
}

export const reshardingFacts: Facts = {
  'a split closes the shard and opens two that share its hash keys': async (stage) => {
    const name = await stage.stream(1);
    await split(stage, name, FIRST, 1000n);
    const shards = await stage.shards(name);
    expect(ids(shards)).toEqual([FIRST, SECOND, 'shardId-000000000002']);
    const parent = present(shards.find(({ ShardId }) => ShardId === FIRST));
    expect(isOpen(parent)).toBe(false);
    const children = shards.filter(isOpen);
    expect(children.map(({ ParentShardId }) => ParentShardId)).toEqual([FIRST, FIRST]);
    expect(openRanges(shards)).toEqual([
      { start: 0n, end: 999n },
      { start: 1000n, end: HASH_KEY_MAX },
    ]);
    for (const child of children) {
      const starting = BigInt(present(child.SequenceNumberRange?.StartingSequenceNumber));
      expect(starting > BigInt(present(parent.SequenceNumberRange?.StartingSequenceNumber))).toBe(true);
    }
  },

  'after a split records go to the children, and those before stay with the parent': async (stage) => {
    const name = await stage.stream(1);
    const before = await stage.put(name, 'k', 'before');
    await split(stage, name);
    const after = await stage.put(name, 'k', 'after');
    expect(before.ShardId).toBe(FIRST);
    expect([SECOND, 'shardId-000000000002']).toContain(after.ShardId);
    const parent = await stage.iterator(name, FIRST, 'TRIM_HORIZON');
    expect(await stage.readUntil(parent, 2)).toMatchObject([{ text: 'before' }]);
    const child = await stage.iterator(name, after.ShardId, 'TRIM_HORIZON');
    expect(await stage.readUntil(child, 1)).toMatchObject([{ text: 'after' }]);
    expect(BigInt(after.SequenceNumber) > BigInt(before.SequenceNumber)).toBe(true);
  },

  'a closed shard ends without a next iterator and names its children': async (stage) => {
    const name = await stage.stream(1);
    await stage.put(name, 'k', 'before');
    await split(stage, name);
    let iterator: string | undefined = await stage.iterator(name, FIRST, 'TRIM_HORIZON');
    let children: readonly string[] = [];
    for (let reads = 0; reads < 10 && iterator !== undefined; reads += 1) {
      const answer = await stage.read(iterator);
      iterator = answer.NextShardIterator ?? undefined;
      children = (answer.ChildShards ?? []).map(({ ShardId }) => present(ShardId)).sort();
    }
    expect(iterator).toBeUndefined();
    expect(children).toEqual([SECOND, 'shardId-000000000002']);
  },

  'LATEST of a closed shard reads nothing and ends': async (stage) => {
    const name = await stage.stream(1);
    await stage.put(name, 'k', 'before');
    await split(stage, name);
    const { Records, NextShardIterator } = await stage.read(await stage.iterator(name, FIRST, 'LATEST'));
    expect({ Records, NextShardIterator: NextShardIterator ?? undefined }).toEqual({
      Records: [],
      NextShardIterator: undefined,
    });
  },

  'a merge closes two neighbours and opens one that names both': async (stage) => {
    const name = await stage.stream(2);
    await merge(stage, name, FIRST, SECOND);
    const shards = await stage.shards(name);
    expect(shards.filter(isOpen)).toMatchObject([
      { ShardId: 'shardId-000000000002', ParentShardId: FIRST, AdjacentParentShardId: SECOND },
    ]);
    expect(openRanges(shards)).toEqual([{ start: 0n, end: HASH_KEY_MAX }]);
    const { ChildShards = [] } = await stage.read(await stage.iterator(name, SECOND, 'TRIM_HORIZON'));
    expect(ChildShards).toMatchObject([{ ShardId: 'shardId-000000000002' }]);
    expect([...(ChildShards[0]?.ParentShards ?? [])].sort()).toEqual([FIRST, SECOND]);
  },

  'shards that are not neighbours are not merged': async (stage) => {
    const StreamName = await stage.stream(3);
    const command = new MergeShardsCommand({
      StreamName,
      ShardToMerge: FIRST,
      AdjacentShardToMerge: 'shardId-000000000002',
    });
    expect(await refusal(stage.client.send(command))).toBe('InvalidArgumentException');
  },

  'a shard is not split at or outside the ends of its hash keys': async (stage) => {
    const StreamName = await stage.stream(2);
    for (const at of [0n, HALF - 1n, HALF, HASH_KEY_MAX]) {
      const command = new SplitShardCommand({ StreamName, ShardToSplit: FIRST, NewStartingHashKey: `${at}` });
      expect(await refusal(stage.client.send(command))).toBe('InvalidArgumentException');
    }
  },

  'UpdateShardCount doubles the shards evenly': async (stage) => {
    const StreamName = await stage.stream(2);
    const answer = await stage.client.send(
      new UpdateShardCountCommand({ StreamName, TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' }),
    );
    expect(answer).toMatchObject({ StreamName, CurrentShardCount: 2, TargetShardCount: 4 });
    await stage.untilActive(StreamName);
    const shards = await stage.shards(StreamName);
    expectEven(openRanges(shards), 4);
    const parents = shards.filter(isOpen).map(({ ParentShardId }) => ParentShardId);
    expect(parents.sort()).toEqual([FIRST, FIRST, SECOND, SECOND]);
  },

  'UpdateShardCount goes from 4 shards to 3 with no shard having more than two parents': async (stage) => {
    const StreamName = await stage.stream(4);
    await stage.client.send(
      new UpdateShardCountCommand({ StreamName, TargetShardCount: 3, ScalingType: 'UNIFORM_SCALING' }),
    );
    await stage.untilActive(StreamName);
    const shards = await stage.shards(StreamName);
    expectEven(openRanges(shards), 3);
    const known = new Set(ids(shards));
    for (const shard of shards.slice(4)) {
      expect(known).toContain(shard.ParentShardId);
      if (shard.AdjacentParentShardId !== undefined) expect(known).toContain(shard.AdjacentParentShardId);
    }
  },

  'UpdateShardCount refuses more than double and less than half': async (stage) => {
    const StreamName = await stage.stream(4);
    for (const TargetShardCount of [9, 1]) {
      const command = new UpdateShardCountCommand({
        StreamName,
        TargetShardCount,
        ScalingType: 'UNIFORM_SCALING',
      });
      expect(await refusal(stage.client.send(command))).toMatch(
        /^(LimitExceededException|InvalidArgumentException|ValidationException)$/,
      );
    }
  },
};

const CHILDREN = [SECOND, 'shardId-000000000002'];

/** A stream whose only shard was split, with times from before and after on the stream's own clock. */
async function splitStream(stage: Stage) {
  const StreamName = await stage.stream(1);
  const arrivalOf = async (shardId: string) => {
    const iterator = await stage.iterator(StreamName, shardId, 'TRIM_HORIZON');
    await stage.readUntil(iterator, 1);
    const { Records = [] } = await stage.read(iterator);
    return present(Records[0]?.ApproximateArrivalTimestamp);
  };
  const beforeSplit = await arrivalOf((await stage.put(StreamName, 'k', 'before')).ShardId);
  await split(stage, StreamName);
  const afterSplit = await arrivalOf((await stage.put(StreamName, 'k', 'after')).ShardId);
  const filtered = async (filter: ShardFilter | undefined) =>
    ids((await stage.client.send(new ListShardsCommand({ StreamName, ShardFilter: filter }))).Shards);
  return { beforeSplit, afterSplit, filtered };
}

export const shardListFacts: Facts = {
  'ListShards without a filter lists open and closed shards': async (stage) => {
    const { filtered } = await splitStream(stage);
    expect(await filtered(undefined)).toEqual([FIRST, ...CHILDREN]);
    expect(await filtered({ Type: 'FROM_TRIM_HORIZON' })).toEqual([FIRST, ...CHILDREN]);
  },

  'AT_LATEST lists the open shards': async (stage) => {
    const { filtered } = await splitStream(stage);
    expect(await filtered({ Type: 'AT_LATEST' })).toEqual(CHILDREN);
  },

  'AT_TRIM_HORIZON lists the shards with which reading everything begins': async (stage) => {
    const { filtered } = await splitStream(stage);
    expect(await filtered({ Type: 'AT_TRIM_HORIZON' })).toEqual([FIRST]);
  },

  'AFTER_SHARD_ID lists the shards behind one': async (stage) => {
    const { filtered } = await splitStream(stage);
    expect(await filtered({ Type: 'AFTER_SHARD_ID', ShardId: FIRST })).toEqual(CHILDREN);
  },

  'AT_TIMESTAMP lists the shards that were open then': async (stage) => {
    const { filtered, beforeSplit, afterSplit } = await splitStream(stage);
    expect(await filtered({ Type: 'AT_TIMESTAMP', Timestamp: beforeSplit })).toEqual([FIRST]);
    expect(await filtered({ Type: 'AT_TIMESTAMP', Timestamp: afterSplit })).toEqual(CHILDREN);
  },

  'FROM_TIMESTAMP lists the shards that were open then or later': async (stage) => {
    const { filtered, beforeSplit, afterSplit } = await splitStream(stage);
    expect(await filtered({ Type: 'FROM_TIMESTAMP', Timestamp: beforeSplit })).toEqual([FIRST, ...CHILDREN]);
    expect(await filtered({ Type: 'FROM_TIMESTAMP', Timestamp: afterSplit })).toEqual(CHILDREN);
  },

  'ListShards goes on with its token, page by page': async (stage) => {
    const StreamName = await stage.stream(5);
    const pages: string[][] = [];
    let token: string | undefined;
    do {
      const request = token === undefined ? { StreamName } : { NextToken: token };
      const answer = await stage.client.send(new ListShardsCommand({ ...request, MaxResults: 2 }));
      pages.push(ids(answer.Shards));
      token = answer.NextToken;
    } while (token !== undefined && pages.length < 10);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual([0, 1, 2, 3, 4].map((index) => `shardId-00000000000${index}`));
  },

  'ListShards begins behind a shard': async (stage) => {
    const StreamName = await stage.stream(3);
    const { Shards } = await stage.client.send(
      new ListShardsCommand({ StreamName, ExclusiveStartShardId: SECOND }),
    );
    expect(ids(Shards)).toEqual(['shardId-000000000002']);
  },

  'ListShards refuses a token together with a stream name, and neither': async (stage) => {
    const StreamName = await stage.stream(2);
    const { NextToken } = await stage.client.send(new ListShardsCommand({ StreamName, MaxResults: 1 }));
    const calls = [
      stage.client.send(new ListShardsCommand({ StreamName, NextToken: present(NextToken) })),
      stage.client.send(new ListShardsCommand({})),
    ];
    for (const call of calls) expect(await refusal(call)).toBe('InvalidArgumentException');
  },
};
