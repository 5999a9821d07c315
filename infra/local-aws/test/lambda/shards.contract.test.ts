import { describe, expect, it } from 'vitest';
import { mappingWorld } from './mapping-world.ts';

const PARENT = 'shardId-000000000000';
const LEFT = 'shardId-000000000001';
const RIGHT = 'shardId-000000000002';
const MERGED = 'shardId-000000000003';

describe('parents', () => {
  it('are finished to the last record in flight before their children begin', async () => {
    let parentBusy = 0;
    let childrenEarly = 0;
    const world = mappingWorld({
      settings: { batchSize: 2 },
      script: async ({ records }) => {
        const ofParent = records[0]?.shardId === PARENT;
        if (!ofParent && (parentBusy > 0 || world.checkpoint(PARENT)?.kind !== 'finished'))
          childrenEarly += 1;
        if (ofParent) parentBusy += 1;
        await world.clock.sleep(5_000);
        if (ofParent) parentBusy -= 1;
      },
    });
    world.stream.addShard(PARENT);
    for (let i = 0; i < 5; i += 1) world.stream.put(PARENT, 'a', `parent ${i}`);
    world.stream.addShard(LEFT, [PARENT]);
    world.stream.addShard(RIGHT, [PARENT]);
    world.stream.put(LEFT, 'a', 'left');
    world.stream.put(RIGHT, 'b', 'right');
    world.start();
    await world.clock.runUntil(() => world.batches().flat().length === 7);
    await world.clock.advance(10_000);
    await world.stop();

    expect(childrenEarly).toBe(0);
    expect(world.batches().flat().slice(0, 5)).toEqual([
      'parent 0',
      'parent 1',
      'parent 2',
      'parent 3',
      'parent 4',
    ]);
    expect(world.batches().flat().slice(5).sort()).toEqual(['left', 'right']);
  });

  it('are both waited for after a merge', async () => {
    const world = mappingWorld();
    world.stream.addShard(LEFT);
    world.stream.addShard(RIGHT);
    world.stream.put(LEFT, 'a', 'left');
    world.stream.put(RIGHT, 'b', 'right');
    world.stream.addShard(MERGED, [LEFT, RIGHT]);
    world.stream.put(MERGED, 'a', 'merged');
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 3);
    await world.stop();

    expect(world.batches().flat()[2]).toBe('merged');
  });

  it('that the stream no longer lists are not waited for, and their checkpoints are forgotten', async () => {
    const world = mappingWorld();
    world.stream.addShard(PARENT);
    world.stream.addShard(LEFT, [PARENT]);
    world.stream.put(LEFT, 'a', 'left');
    world.start();
    await world.clock.runUntil(() => world.checkpoint(PARENT)?.kind === 'finished');
    world.stream.drop(PARENT);
    await world.clock.runUntil(() => world.invocations.length === 1);
    await world.clock.advance(3_000);
    await world.stop();

    expect(world.checkpoint(PARENT)).toBeUndefined();
    expect(world.checkpoint(LEFT)).toMatchObject({ kind: 'at' });
  });

  it('are found while the mapping runs, within two seconds of a split', async () => {
    const world = mappingWorld();
    world.stream.addShard(PARENT);
    world.start();
    await world.clock.advance(5_000);
    world.stream.addShard(LEFT, [PARENT]);
    world.stream.put(LEFT, 'a', 'left');
    await world.clock.runUntil(() => world.invocations.length === 1, 2_000);
    await world.stop();
    expect(world.batches()).toEqual([['left']]);
  });
});

describe('the starting position', () => {
  it('TRIM_HORIZON begins with the oldest record', async () => {
    const world = mappingWorld();
    world.stream.addShard(PARENT);
    world.stream.put(PARENT, 'a', 'old');
    await world.clock.advance(1_000);
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 1);
    await world.stop();
    expect(world.batches()).toEqual([['old']]);
  });

  it('AT_TIMESTAMP begins with the first record of that time, in children too', async () => {
    const world = mappingWorld();
    world.stream.addShard(PARENT);
    world.stream.put(PARENT, 'a', 'too old');
    world.stream.addShard(LEFT, [PARENT]);
    world.stream.put(LEFT, 'a', 'old too');
    await world.clock.advance(1_000);
    const timestampMs = world.clock.now();
    world.stream.put(LEFT, 'a', 'new');
    const later = mappingWorld({
      clock: world.clock,
      stream: world.stream,
      settings: { startingPosition: { type: 'AT_TIMESTAMP', timestampMs } },
    });
    later.start();
    await world.clock.runUntil(() => later.batches().flat().includes('new'));
    await later.stop();
    expect(later.batches()).toEqual([['new']]);
  });

  it('does not matter where there is a checkpoint: no record comes twice, none is left out', async () => {
    const first = mappingWorld({ settings: { batchSize: 3 } });
    first.stream.addShard(PARENT);
    for (let i = 0; i < 9; i += 1) first.stream.put(PARENT, 'a', String(i));
    first.start();
    await first.clock.runUntil(() => first.invocations.length === 3);
    await first.stop();
    first.stream.put(PARENT, 'a', '9');

    const { clock, stream, checkpoints } = first;
    const second = mappingWorld({ clock, stream, checkpoints });
    second.start();
    await clock.runUntil(() => second.invocations.length === 1);
    await second.stop();
    expect(second.batches()).toEqual([['9']]);
  });
});

describe('stopping', () => {
  it('waits for the invocation under way and counts what it finished', async () => {
    const world = mappingWorld({ settings: { batchSize: 1 }, script: () => world.clock.sleep(10_000) });
    world.stream.addShard(PARENT);
    const first = world.stream.put(PARENT, 'a', '1');
    world.stream.put(PARENT, 'a', '2');
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 1);
    let stopped = false;
    const stopping = world.stop().then(() => {
      stopped = true;
    });
    await world.clock.advance(9_000);
    expect(stopped).toBe(false);
    await world.clock.advance(2_000);
    await stopping;
    expect(world.batches()).toEqual([['1']]);
    expect(world.checkpoint(PARENT)).toEqual({ kind: 'at', sequenceNumber: first });
  });
});

describe('a stream in trouble', () => {
  it('is read again after throttles, errors and expired iterators, without a gap or a repetition', async () => {
    const world = mappingWorld({ recordsPerRead: 2, settings: { batchSize: 2 } });
    world.stream.addShard(PARENT);
    for (let i = 0; i < 10; i += 1) world.stream.put(PARENT, 'a', String(i));
    world.stream.failReads('throttled', 'error', 'iterator-expired', 'throttled', 'throttled', 'error');
    world.start();
    await world.clock.runUntil(() => world.batches().flat().length === 10);
    await world.stop();

    expect(world.batches().flat()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(world.metrics.shards()[PARENT]).toMatchObject({ readThrottles: 3, readFailures: 2 });
  });

  it('is never asked more than five times a second per shard, however many records there are', async () => {
    const world = mappingWorld({ recordsPerRead: 1, settings: { batchSize: 1, batchingWindowMs: 0 } });
    world.stream.addShard(PARENT);
    for (let i = 0; i < 200; i += 1) world.stream.put(PARENT, 'a', String(i));
    world.start();
    await world.clock.runUntil(() => world.batches().flat().length === 200);
    await world.stop();

    const times = world.stream.readTimes.map(({ atMs }) => atMs);
    for (const [index, atMs] of times.entries()) {
      expect(times.slice(index).filter((each) => each < atMs + 1_000).length).toBeLessThanOrEqual(5);
    }
  });
});
