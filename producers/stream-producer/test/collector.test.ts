import { shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { createCollector } from '../src/collector.ts';
import type { UserRecord } from '../src/index.ts';
import { createLane, type Lane, type ShardQueue } from '../src/lane.ts';
import type { LaneBook } from '../src/lane-book.ts';
import { createShardQueue, makeReady } from '../src/shard-queues.ts';

type Queue = ShardQueue<UserRecord>;

const shardQueue = (name: string, recordsPerSecond = Number.POSITIVE_INFINITY): Queue =>
  createShardQueue<UserRecord>(
    { shardId: shardId(name), hashKeyRange: { start: 0n, end: 1n }, isOpen: true },
    { bytesPerSecond: Number.POSITIVE_INFINITY, recordsPerSecond },
    0,
  );

function readyLane(home: Queue, name: string): Lane<UserRecord> {
  const lane = createLane(name, home);
  makeReady(lane);
  return lane;
}

/** A collector of records of 10 bytes; a lane named `gone` has nothing left. */
function collectorOf(shardQueues: readonly Queue[], limits: { count?: number; bytes?: number } = {}) {
  const book: Pick<LaneBook<UserRecord>, 'shardQueues' | 'packedBytesMax'> = {
    shardQueues,
    packedBytesMax: () => 10,
  };
  const options = { requestRecordsMax: limits.count ?? 500, requestBytesMax: limits.bytes ?? 1_000 };
  const collect = createCollector(book as LaneBook<UserRecord>, options, (lane) => {
    lane.state = 'sent';
    const transport = { partitionKey: lane.partitionKey, data: new Uint8Array(0) };
    return lane.partitionKey === 'gone' ? undefined : { transport, count: 1, bytes: 10 };
  });
  return (nowMs = 0) => {
    const { records, limitedUntilMs } = collect(nowMs);
    return { lanes: records.map(({ lane }) => lane.partitionKey), limitedUntilMs, records };
  };
}

test('a request takes all that is ready, each record for the shard of its lane, and begins with another shard the next time', () => {
  const [a, b] = [shardQueue('a'), shardQueue('b')];
  const collect = collectorOf([a, b]);
  const ready = () => {
    for (const [home, name] of [
      [a, 'a1'],
      [a, 'a2'],
      [b, 'b1'],
    ] as const)
      readyLane(home, name);
  };
  ready();
  const { lanes, records, limitedUntilMs } = collect();
  expect(lanes).toEqual(['a1', 'a2', 'b1']);
  expect(records.map(({ home }) => home)).toEqual([a, a, b]);
  expect(limitedUntilMs).toBeUndefined();
  ready();
  expect(collect().lanes).toEqual(['b1', 'a1', 'a2']);
  ready();
  expect(collect().lanes).toEqual(['a1', 'a2', 'b1']);
  expect(collect().lanes).toEqual([]);
});

test.each([{ count: 2 }, { bytes: 20 }, { bytes: 29 }])(
  'a request ends at its limit %j, and the next goes on there',
  (limits) => {
    const [a, b] = [shardQueue('a'), shardQueue('b')];
    const collect = collectorOf([a, b], limits);
    for (const name of ['a1', 'a2', 'a3']) readyLane(a, name);
    readyLane(b, 'b1');
    expect(collect().lanes).toEqual(['a1', 'a2']);
    expect(collect().lanes).toEqual(['a3', 'b1']);
  },
);

test('a record that is larger than a request should be travels alone', () => {
  const a = shardQueue('a');
  const collect = collectorOf([a], { bytes: 5 });
  for (const name of ['a1', 'a2']) readyLane(a, name);
  expect([collect().lanes, collect().lanes, collect().lanes]).toEqual([['a1'], ['a2'], []]);
});

test('a suspect lane travels alone, whether it is the first or not', () => {
  const a = shardQueue('a');
  const collect = collectorOf([a]);
  readyLane(a, 'a1');
  readyLane(a, 'suspect').suspicion = 'alone';
  readyLane(a, 'a2');
  readyLane(a, 'a3');
  expect([collect().lanes, collect().lanes, collect().lanes]).toEqual([['a1'], ['suspect'], ['a2', 'a3']]);
});

test('a lane with nothing left is passed over, and costs its shard nothing', () => {
  const a = shardQueue('a', 10);
  const collect = collectorOf([a]);
  readyLane(a, 'gone');
  readyLane(a, 'a1');
  expect(collect().lanes).toEqual(['a1']);
});

test('a shard at its limit waits, at least 10 ms, and the others go on', () => {
  // A burst of one record: the next comes after 100 ms, or after 1 ms.
  const [slow, quick, free] = [shardQueue('slow', 10), shardQueue('quick', 1_000), shardQueue('free')];
  const collect = collectorOf([slow, quick, free]);
  for (const name of ['s1', 's2']) readyLane(slow, name);
  readyLane(free, 'f1');
  expect(collect(0)).toMatchObject({ lanes: ['s1', 'f1'], limitedUntilMs: 10 });
  expect(collect(0).limitedUntilMs).toBe(10);
  readyLane(slow, 's3');
  expect(collect(1)).toMatchObject({ lanes: ['s2'], limitedUntilMs: 100 });
  for (let index = 0; index < 101; index += 1) readyLane(quick, `q${index}`);
  expect(collect(1).limitedUntilMs).toBe(11);
  expect(collect(11).lanes).toEqual(['q100']);
  expect(collect(102).lanes).toEqual(['s3']);
});
