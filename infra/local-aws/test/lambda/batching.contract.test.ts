import { INVOCATION_PAYLOAD_BYTES_MAX } from '@twinstream/pipeline-settings';
import { shardId } from '@twinstream/stream-model';
import { describe, expect, it } from 'vitest';
import { mappingWorld, type SeenInvocation } from './mapping-world.ts';

const SHARD = 'shardId-000000000000';

describe('a batch', () => {
  it('goes immediately when it is full', async () => {
    const world = mappingWorld({ settings: { batchSize: 2, batchingWindowMs: 300_000 } });
    world.stream.addShard(SHARD);
    for (const text of ['1', '2', '3', '4']) world.stream.put(SHARD, 'a', text);
    const beganMs = world.clock.now();
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 2);
    await world.stop();

    expect(world.batches()).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    expect(world.invocations[1]?.atMs).toBe(beganMs);
  });

  it('waits for the window, counted from its first record, and takes what came meanwhile', async () => {
    const world = mappingWorld({ settings: { batchSize: 100, batchingWindowMs: 10_000 } });
    world.stream.addShard(SHARD);
    world.start();
    await world.clock.advance(1_000);
    world.stream.put(SHARD, 'a', '1');
    const putMs = world.clock.now();
    await world.clock.advance(6_000);
    world.stream.put(SHARD, 'a', '2');
    await world.clock.runUntil(() => world.invocations.length === 1);
    await world.stop();

    expect(world.batches()).toEqual([['1', '2']]);
    const waitedMs = (world.invocations[0]?.atMs ?? 0) - putMs;
    expect(waitedMs).toBeGreaterThanOrEqual(10_000);
    expect(waitedMs).toBeLessThan(10_500);
  });

  it('has a window from when the batch before was done, if that is later', async () => {
    const world = mappingWorld({
      settings: { batchSize: 100, batchingWindowMs: 10_000 },
      script: () => world.clock.sleep(4_000),
    });
    world.stream.addShard(SHARD);
    world.stream.put(SHARD, 'a', '1');
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 1);
    world.stream.put(SHARD, 'a', '2');
    await world.clock.runUntil(() => world.invocations.length === 2);
    await world.clock.advance(5_000);
    await world.stop();

    const [first = 0, second = 0] = world.invocations.map(({ atMs }) => atMs);
    expect(second - first).toBeGreaterThanOrEqual(14_000);
    expect(second - first).toBeLessThan(14_500);
  });

  it('stays within the payload that Lambda takes', async () => {
    const bytes: number[] = [];
    const world = mappingWorld({ settings: { batchSize: 10_000, batchingWindowMs: 300_000 } });
    const text = 'x'.repeat(700_000);
    world.stream.addShard(SHARD);
    for (let i = 0; i < 14; i += 1) world.stream.put(SHARD, 'a', text);
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 2, 1_000);
    await world.stop();

    const perRecord = (text.length * 4) / 3;
    for (const { records } of world.invocations) bytes.push(records.length * perRecord);
    expect(Math.max(...bytes)).toBeLessThan(INVOCATION_PAYLOAD_BYTES_MAX);
    expect(world.invocations[0]?.records.length).toBe(Math.floor(INVOCATION_PAYLOAD_BYTES_MAX / perRecord));
  });

  it('holds a single record that is larger than any payload, alone', async () => {
    const world = mappingWorld({ settings: { batchSize: 10 } });
    world.stream.addShard(SHARD);
    world.stream.put(SHARD, 'a', 'small');
    world.stream.put(SHARD, 'a', 'x'.repeat(7_000_000));
    world.stream.put(SHARD, 'a', 'small');
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 3);
    await world.stop();

    expect(world.invocations.map(({ records }) => records.length)).toEqual([1, 1, 1]);
  });
});

describe('reading ahead', () => {
  it('stops at twice the batch while the function is busy', async () => {
    const world = mappingWorld({
      recordsPerRead: 10,
      settings: { batchSize: 10 },
      script: () => world.clock.sleep(1_000_000),
    });
    world.stream.addShard(SHARD);
    for (let i = 0; i < 1_000; i += 1) world.stream.put(SHARD, 'a', String(i));
    world.start();
    await world.clock.advance(900_000);

    expect(world.stream.readCounts.get(shardId(SHARD))).toBe(2);
    await world.clock.advance(200_000);
    const stopped = world.stop();
    await world.clock.advance(2_000_000);
    await stopped;
  });
});

describe('parallelization', () => {
  it('keeps each partition key in one lane, in order, never two of its batches at a time', async () => {
    const busyKeys = new Set<string>();
    let overlaps = 0;
    let concurrentMax = 0;
    let concurrent = 0;
    const script = async ({ records }: SeenInvocation) => {
      const keys = new Set(records.map(({ partitionKey }) => partitionKey));
      for (const key of keys) {
        if (busyKeys.has(key)) overlaps += 1;
        busyKeys.add(key);
      }
      concurrent += 1;
      concurrentMax = Math.max(concurrentMax, concurrent);
      await world.clock.sleep(1_000);
      concurrent -= 1;
      for (const key of keys) busyKeys.delete(key);
    };
    const world = mappingWorld({ settings: { batchSize: 5, parallelizationFactor: 4 }, script });
    world.stream.addShard(SHARD);
    for (let i = 0; i < 200; i += 1) world.stream.put(SHARD, `key-${i % 67}`, String(i));
    world.start();
    await world.clock.runUntil(() => world.batches().flat().length === 200);
    await world.clock.runUntil(() => concurrent === 0);
    await world.stop();

    expect(overlaps).toBe(0);
    expect(concurrentMax).toBe(4);
    const ofKey = Map.groupBy(
      world.invocations.flatMap(({ records }) => records),
      ({ partitionKey }) => partitionKey,
    );
    for (const records of ofKey.values()) {
      const order = records.map(({ text }) => Number(text));
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  });

  it('keeps the checkpoint before the first record that a slow lane has not finished', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const world = mappingWorld({
      settings: { batchSize: 1, parallelizationFactor: 2 },
      script: ({ records }) => (records[0]?.partitionKey === 'slow' ? held : undefined),
    });
    world.stream.addShard(SHARD);
    // Of these keys' hashes one is even and one odd, so they go by different lanes.
    const before = world.stream.put(SHARD, 'fast', '1');
    world.stream.put(SHARD, 'slow', '2');
    world.stream.put(SHARD, 'fast', '3');
    const last = world.stream.put(SHARD, 'fast', '4');
    world.start();
    await world.clock.runUntil(() => world.batches().flat().includes('4'));
    await world.clock.advance(1_000);
    expect(world.checkpoint(SHARD)).toEqual({ kind: 'at', sequenceNumber: before });
    release();
    await world.clock.advance(1_000);
    expect(world.checkpoint(SHARD)).toEqual({ kind: 'at', sequenceNumber: last });
    await world.stop();
  });
});
