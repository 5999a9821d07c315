import { PutRecordCommand, PutRecordsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { kinesisStreamReader, shardListing } from '@twinstream/pipeline-status';
import { createLogger, systemClock } from '@twinstream/runtime';
import {
  encodeAggregate,
  type SequenceNumber,
  type ShardId,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import { kinesisTransport } from '@twinstream/stream-producer';
import { until } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShardHints } from '../src/fleet/change-feed.ts';
import { kinesisChangeFeed } from '../src/fleet/kinesis-change-feed.ts';
import { type KinesisStreams, startKinesisStreams } from './kinesis-streams.ts';

const FIRST = shardId('shardId-000000000000');
const utf8 = new TextEncoder();
let kinesis: KinesisStreams;
let streamCount = 0;

beforeAll(async () => {
  kinesis = await startKinesisStreams();
});
afterAll(() => kinesis.stop());

async function stream(shardCount = 1) {
  streamCount += 1;
  const streamName = `events-${streamCount}`;
  await kinesis.createStream(streamName, shardCount);
  const { client } = kinesis;
  const shards = shardListing(kinesisTransport({ streamName, client }));
  const put = async (deviceId: string, data?: Uint8Array): Promise<SequenceNumber> => {
    const Data = data ?? utf8.encode(`${JSON.stringify({ v: 1, deviceId, data: {} })}\n`);
    const command = new PutRecordCommand({ StreamName: streamName, PartitionKey: deviceId, Data });
    return sequenceNumber((await client.send(command)).SequenceNumber ?? '');
  };
  const clock = systemClock;
  return {
    streamName,
    client,
    put,
    reader: kinesisStreamReader({ client, streamName, shards, clock }),
    feed: kinesisChangeFeed({ client, streamName, shards, clock, logger: createLogger('test', 'silent') }),
  };
}

const idsOf = (hints: readonly ShardHints[]) =>
  hints.flatMap(({ records }) => records.flatMap(({ deviceIds }) => deviceIds));
const NONE: ReadonlyMap<ShardId, SequenceNumber> = new Map();

describe('the stream reader on Kinesis', () => {
  test('describes the stream', async () => {
    const { reader } = await stream(3);
    const { retentionHours, shards } = await reader.describe();
    expect([retentionHours, shards.length, shards.every(({ isOpen }) => isOpen)]).toEqual([24, 3, true]);
  });

  test('lags behind the first record that is not finished, and not at all without one', async () => {
    const { reader, put } = await stream();
    expect((await reader.lag(FIRST, undefined)).lagMs).toBe(0);
    const startTime = Date.now();
    const first = await put('a');
    const second = await put('b');
    await until('time passes', async () => Date.now() - startTime > 300);
    const { lagMs } = await reader.lag(FIRST, undefined);
    expect(lagMs).toBeGreaterThanOrEqual(250);
    expect(lagMs).toBeLessThan(20_000);
    expect((await reader.lag(FIRST, first)).lagMs).toBeGreaterThan(0);
    expect((await reader.lag(FIRST, second)).lagMs).toBe(0);
  });

  test('counts what was put in the last ten seconds', async () => {
    const { reader, put } = await stream();
    expect(await reader.recordsPerSecond(FIRST)).toBe(0);
    for (let index = 0; index < 20; index += 1) await put(`d-${index}`);
    // The first sample is small, because the size of the records is not known; the next counts them all.
    await reader.recordsPerSecond(FIRST);
    expect(await reader.recordsPerSecond(FIRST)).toBeCloseTo(2, 0);
  });

  test('takes no burst for the rate of a shard', async () => {
    const { reader, client, streamName } = await stream();
    const Records = Array.from({ length: 500 }, (_, index) => ({
      PartitionKey: `d-${index}`,
      Data: Buffer.alloc(1_000),
    }));
    await client.send(new PutRecordsCommand({ StreamName: streamName, Records }));
    // All of them arrived within a millisecond or two, and a sample holds a part of them.
    expect(await reader.recordsPerSecond(FIRST)).toBeUndefined();
    expect(await reader.recordsPerSecond(FIRST)).toBeUndefined();
  });
});

describe('the change feed on Kinesis', () => {
  test('names the devices of each record, as the events name them', async () => {
    const { feed, put } = await stream();
    const first = await put('key', utf8.encode('{"v":1, "deviceId" : "bus:1","data":{}}'));
    const second = await put('key', utf8.encode('not an event'));
    const third = await put(
      'key',
      encodeAggregate(
        ['x', 'y'].map((id) => ({ partitionKey: id, data: utf8.encode(`{"deviceId":"${id}"}`) })),
      ),
    );
    const [hints] = await feed.poll(NONE);
    expect(hints).toMatchObject({ shardId: FIRST, from: '0' });
    expect(hints?.records.map(({ sequenceNumber: number, deviceIds }) => [number, deviceIds])).toEqual([
      [first, ['bus:1']],
      [second, []],
      [third, ['x', 'y']],
    ]);
    const arrivals = hints?.records.map(({ arrivalTime }) => Math.abs(Date.now() - arrivalTime) < 60_000);
    expect(arrivals).toEqual([true, true, true]);
  });

  test('begins behind the progress, and goes on where it stood', async () => {
    const { feed, put } = await stream();
    const first = await put('a');
    await put('b');
    const progress = new Map([[FIRST, first]]);
    const hints = await feed.poll(progress);
    expect([hints[0]?.from, idsOf(hints)]).toEqual([first, ['b']]);
    await put('c');
    expect(idsOf(await feed.poll(progress))).toEqual(['c']);
    const empty = await feed.poll(progress);
    expect([empty[0]?.from, empty[0]?.atTip, idsOf(empty)]).toEqual([first, true, []]);
  });

  test('begins again after a restart', async () => {
    const { feed, put } = await stream();
    const first = await put('a');
    await put('b');
    const progress = new Map([[FIRST, first]]);
    await feed.poll(progress);
    feed.restart();
    expect(idsOf(await feed.poll(progress))).toEqual(['b']);
  });

  test('reads a closed shard to its end, and its children from their beginning', async () => {
    const { feed, put, client, streamName } = await stream();
    await put('a');
    expect(idsOf(await feed.poll(NONE))).toEqual(['a']);
    await put('b');
    const command = new SplitShardCommand({
      StreamName: streamName,
      ShardToSplit: FIRST,
      NewStartingHashKey: String(2n ** 127n),
    });
    await client.send(command);
    await kinesis.waitUntilActive(streamName);
    await put('c');
    const seen = new Set<string>();
    const from = new Map<string, string>();
    // No child waits for the time at which shards are listed anyhow.
    await until(
      'the children are read',
      async () => {
        for (const hints of await feed.poll(NONE)) {
          from.set(hints.shardId, hints.from);
          for (const { deviceIds } of hints.records) for (const id of deviceIds) seen.add(id);
        }
        return seen.has('c');
      },
      5_000,
    );
    expect([...seen].sort()).toEqual(['b', 'c']);
    expect([...from.values()]).toEqual(['0', '0', '0']);
  });
});
