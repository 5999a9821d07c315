import { setTimeout as sleep } from 'node:timers/promises';
import {
  SplitShardCommand,
  type StartingPosition,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
} from '@aws-sdk/client-kinesis';
import { expect } from 'vitest';
import { arnOf, registered } from './consumers.ts';
import { type Facts, present, refusal, type Stage } from './subject.ts';

const SHARD = 'shardId-000000000000';
/** A second subscription is refused for so long. */
const EXCLUSIVE_MS = 5_000;

function subscribe(
  stage: Stage,
  ConsumerARN: string,
  position: StartingPosition,
  ShardId = SHARD,
): Promise<AsyncIterable<SubscribeToShardEventStream>> {
  const command = new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition: position });
  return stage.client.send(command).then(({ EventStream }) => present(EventStream));
}

/** Events until the subscription ends or `enough` says so. Throws the error with which it ends. */
async function eventsUntil(
  events: AsyncIterable<SubscribeToShardEventStream>,
  enough: (seen: readonly SubscribeToShardEvent[]) => boolean,
): Promise<readonly SubscribeToShardEvent[]> {
  const seen: SubscribeToShardEvent[] = [];
  for await (const { SubscribeToShardEvent: event } of events) {
    seen.push(present(event));
    if (enough(seen)) break;
  }
  return seen;
}

function texts(events: readonly SubscribeToShardEvent[]): readonly string[] {
  return events.flatMap(({ Records = [] }) =>
    Records.map(({ Data }) => Buffer.from(present(Data)).toString()),
  );
}

function count(records: number): (seen: readonly SubscribeToShardEvent[]) => boolean {
  return (seen) => texts(seen).length >= records;
}

/** A stream of one shard with a consumer for each test of a position. */
async function stageOf(stage: Stage, ...consumers: readonly string[]) {
  const StreamName = await stage.stream(1);
  const StreamARN = await arnOf(stage, StreamName);
  const arns: string[] = [];
  for (const name of consumers) arns.push(await registered(stage, StreamARN, name));
  return { StreamName, arns };
}

export const subscriptionFacts: Facts = {
  'a subscription sends what is there and what comes, in order, and says where it goes on': async (stage) => {
    const { StreamName, arns } = await stageOf(stage, 'reader');
    const first = await stage.put(StreamName, 'a', 'one');
    const events = await subscribe(stage, present(arns[0]), { Type: 'TRIM_HORIZON' });
    const putting = stage.put(StreamName, 'b', 'two').then(() => stage.put(StreamName, 'c', 'three'));
    const seen = await eventsUntil(events, count(3));
    const last = await putting;
    expect(texts(seen)).toEqual(['one', 'two', 'three']);
    const [record] = seen.flatMap(({ Records = [] }) => Records);
    expect(record).toMatchObject({ SequenceNumber: first.SequenceNumber, PartitionKey: 'a' });
    expect(record?.ApproximateArrivalTimestamp).toBeInstanceOf(Date);
    expect(seen.at(-1)?.ContinuationSequenceNumber).toBe(last.SequenceNumber);
    expect(seen.at(-1)?.MillisBehindLatest).toBe(0);
    expect(seen.at(-1)?.ChildShards ?? []).toEqual([]);
  },

  'each starting position begins where its shard iterator does': async (stage) => {
    const { StreamName, arns } = await stageOf(stage, 'at', 'after', 'time', 'latest');
    const [at, after, time, latest] = arns.map(present);
    await stage.put(StreamName, 'a', 'one');
    await sleep(1_100);
    const since = new Date();
    const { SequenceNumber } = await stage.put(StreamName, 'a', 'two');
    const newest = await subscribe(stage, present(latest), { Type: 'LATEST' });
    const iterating = newest[Symbol.asyncIterator]();
    expect((await iterating.next()).value.SubscribeToShardEvent.Records).toEqual([]);
    await stage.put(StreamName, 'a', 'three');
    const read = async (arn: string | undefined, position: StartingPosition, records: number) =>
      texts(await eventsUntil(await subscribe(stage, present(arn), position), count(records)));
    expect(await read(at, { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber }, 2)).toEqual(['two', 'three']);
    expect(await read(after, { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber }, 1)).toEqual(['three']);
    expect(await read(time, { Type: 'AT_TIMESTAMP', Timestamp: since }, 2)).toEqual(['two', 'three']);
    expect(texts(await eventsUntil({ [Symbol.asyncIterator]: () => iterating }, count(1)))).toEqual([
      'three',
    ]);
  },

  'the continuation of an event without records loses nothing and repeats nothing': async (stage) => {
    const { StreamName, arns } = await stageOf(stage, 'first', 'second');
    await stage.put(StreamName, 'a', 'before');
    const empty = await subscribe(stage, present(arns[0]), { Type: 'LATEST' });
    const [event] = await eventsUntil(empty, (seen) => seen.length === 1);
    const SequenceNumber = present(event?.ContinuationSequenceNumber);
    await stage.put(StreamName, 'a', 'after');
    const on = await subscribe(stage, present(arns[1]), { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber });
    expect(texts(await eventsUntil(on, count(1)))).toEqual(['after']);
  },

  'a subscription to a shard that is split ends after its last record, with its children': async (stage) => {
    const { StreamName, arns } = await stageOf(stage, 'reader');
    const events = await subscribe(stage, present(arns[0]), { Type: 'TRIM_HORIZON' });
    const reading = eventsUntil(events, () => false);
    await stage.put(StreamName, 'a', 'one');
    const NewStartingHashKey = (2n ** 127n).toString();
    await stage.client.send(new SplitShardCommand({ StreamName, ShardToSplit: SHARD, NewStartingHashKey }));
    const seen = await reading;
    expect(texts(seen)).toEqual(['one']);
    expect(seen.at(-1)?.ContinuationSequenceNumber ?? undefined).toBeUndefined();
    expect(seen.at(-1)?.ChildShards?.map(({ ShardId, ParentShards }) => [ShardId, ParentShards])).toEqual([
      ['shardId-000000000001', [SHARD]],
      ['shardId-000000000002', [SHARD]],
    ]);
  },

  'a second subscription within 5 s is refused, even after the first has ended, and a later one takes over':
    async (stage) => {
      const { arns } = await stageOf(stage, 'reader');
      const arn = present(arns[0]);
      const ended = await subscribe(stage, arn, { Type: 'LATEST' });
      await eventsUntil(ended, (seen) => seen.length === 1);
      expect(await refusal(subscribe(stage, arn, { Type: 'LATEST' }))).toBe('ResourceInUseException');
      await sleep(EXCLUSIVE_MS);
      const first = await subscribe(stage, arn, { Type: 'LATEST' });
      const reading = refusal(eventsUntil(first, () => false));
      await sleep(EXCLUSIVE_MS + 100);
      const second = await subscribe(stage, arn, { Type: 'LATEST' });
      expect(await reading).toBe('ResourceInUseException');
      await eventsUntil(second, (seen) => seen.length === 1);
    },

  'an unknown consumer, an unknown shard and a position without its number are refused by name': async (
    stage,
  ) => {
    const { arns } = await stageOf(stage, 'reader');
    const arn = present(arns[0]);
    const other = arn.replace(/\d+$/, '1000000000');
    expect(await refusal(subscribe(stage, other, { Type: 'LATEST' }))).toBe('ResourceNotFoundException');
    const noShard = subscribe(stage, arn, { Type: 'LATEST' }, 'shardId-000000000009');
    expect(await refusal(noShard)).toBe('ResourceNotFoundException');
    const noNumber = subscribe(stage, arn, { Type: 'AT_SEQUENCE_NUMBER' });
    expect(await refusal(noNumber)).toBe('InvalidArgumentException');
  },
};
