import { LOCAL_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { RETENTION_HOURS } from '@twinstream/stream-model';
import { virtualClock } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { FunctionError, failing, mappingWorld, Unavailable } from './mapping-world.ts';

// What Lambda does, as its developer guide says and as LocalStack's tests recorded it against AWS (read 2026-11).
const SHARD = 'shardId-000000000000';

describe('retries', () => {
  it('gives up the last of six records alone after four invocations when batch is 3 and retries are 3', async () => {
    const world = mappingWorld({
      settings: { batchSize: 3, retryAttemptsMax: 3, reportBatchItemFailures: true },
      script: ({ records }) => failing(...records.filter(({ text }) => text === 'bad')),
    });
    world.stream.addShard(SHARD);
    const numbers = ['1', '2', '3', '4', '5', 'bad'].map((text, i) =>
      world.stream.put(SHARD, `test_${i}`, text),
    );
    world.start();
    await world.clock.runUntil(() => world.discarded.length > 0);
    await world.stop();

    expect(world.batches()).toEqual([['1', '2', '3'], ['4', '5', 'bad'], ['bad'], ['bad'], ['bad'], ['bad']]);
    expect(world.discarded).toHaveLength(1);
    expect(world.discarded[0]).toMatchObject({
      condition: 'RetryAttemptsExhausted',
      invokeCount: 4,
      shardId: SHARD,
      lastInvocation: { functionError: false },
    });
    expect(world.discarded[0]?.records.map(({ record }) => record.sequenceNumber)).toEqual([numbers[5]]);
    expect(world.checkpoint(SHARD)).toEqual({ kind: 'at', sequenceNumber: numbers[5] });
  });

  it('invokes three times when MaximumRetryAttempts is 2, then goes on with the next batch', async () => {
    const world = mappingWorld({
      settings: { batchSize: 1, retryAttemptsMax: 2 },
      script: ({ records }) => {
        if (records[0]?.text === 'bad') throw new FunctionError();
      },
    });
    world.stream.addShard(SHARD);
    world.stream.put(SHARD, 'a', 'bad');
    world.stream.put(SHARD, 'a', 'good');
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 4);
    await world.stop();

    expect(world.batches()).toEqual([['bad'], ['bad'], ['bad'], ['good']]);
    expect(world.discarded).toHaveLength(1);
    expect(world.discarded[0]).toMatchObject({
      invokeCount: 3,
      condition: 'RetryAttemptsExhausted',
      lastInvocation: { requestId: 'request-2', functionError: true },
    });
  });

  it('retries without end when MaximumRetryAttempts is -1, with waits that grow to 30 s', async () => {
    const world = mappingWorld({
      script: () => {
        throw new FunctionError();
      },
    });
    world.stream.addShard(SHARD);
    world.stream.put(SHARD, 'a', 'bad');
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 40);
    await world.stop();

    const waits = world.invocations
      .slice(1)
      .map(({ atMs }, index) => atMs - (world.invocations[index]?.atMs ?? 0));
    expect(waits[0]).toBe(100);
    expect(waits.at(-1)).toBe(15_000);
    expect(world.discarded).toEqual([]);
    expect(world.checkpoint(SHARD)).toBeUndefined();
  });

  it('counts a function that cannot be invoked against neither retries nor batches', async () => {
    let down = true;
    const world = mappingWorld({
      settings: { batchSize: 10, retryAttemptsMax: 0, bisectBatchOnFunctionError: true },
      script: () => {
        if (down) throw new Unavailable();
      },
    });
    world.stream.addShard(SHARD);
    for (const text of ['1', '2', '3']) world.stream.put(SHARD, 'a', text);
    world.start();
    await world.clock.advance(600_000);
    expect(world.metrics.shards()[SHARD]?.unavailable).toBeGreaterThan(100);
    down = false;
    await world.clock.runUntil(() => world.invocations.length === 1);
    await world.stop();

    expect(world.batches()).toEqual([['1', '2', '3']]);
    expect(world.discarded).toEqual([]);
  });

  it('retries the whole batch when the first record is named', async () => {
    const world = mappingWorld({
      settings: { batchSize: 3, retryAttemptsMax: 1, reportBatchItemFailures: true },
      script: ({ records }) => failing(...records.slice(0, 1)),
    });
    world.stream.addShard(SHARD);
    for (const text of ['1', '2', '3']) world.stream.put(SHARD, 'a', text);
    world.start();
    await world.clock.runUntil(() => world.discarded.length > 0);
    await world.stop();

    expect(world.batches()).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ]);
    expect(world.discarded[0]?.records).toHaveLength(3);
  });
});

describe('bisect', () => {
  it('isolates one bad record of eight, using up no retry on the way', async () => {
    const world = mappingWorld({
      settings: { batchSize: 8, retryAttemptsMax: 2, bisectBatchOnFunctionError: true },
      script: ({ records }) => {
        if (records.some(({ text }) => text === '6')) throw new FunctionError();
      },
    });
    world.stream.addShard(SHARD);
    for (let i = 1; i <= 8; i += 1) world.stream.put(SHARD, 'a', String(i));
    world.start();
    await world.clock.runUntil(() => world.batches().flat().includes('8') && world.discarded.length === 1);
    await world.clock.runUntil(() => world.batches().at(-1)?.join() === '7,8');
    await world.stop();

    expect(world.batches()).toEqual([
      ['1', '2', '3', '4', '5', '6', '7', '8'],
      ['1', '2', '3', '4'],
      ['5', '6', '7', '8'],
      ['5', '6'],
      ['5'],
      ['6'],
      ['6'],
      ['6'],
      ['7', '8'],
    ]);
    expect(world.discarded[0]).toMatchObject({ invokeCount: 3, lastInvocation: { functionError: true } });
    expect(world.discarded[0]?.records.map(({ record }) => record.data)).toEqual([btoa('6')]);
  });

  it('leaves the batch whole when the setting is off', async () => {
    const world = mappingWorld({
      settings: { batchSize: 4, retryAttemptsMax: 1 },
      script: () => {
        throw new FunctionError();
      },
    });
    world.stream.addShard(SHARD);
    for (let i = 1; i <= 4; i += 1) world.stream.put(SHARD, 'a', String(i));
    world.start();
    await world.clock.runUntil(() => world.discarded.length === 1);
    await world.stop();

    expect(world.batches()).toEqual([
      ['1', '2', '3', '4'],
      ['1', '2', '3', '4'],
    ]);
    expect(world.discarded[0]?.records).toHaveLength(4);
  });

  it('keeps the order of the records, whatever fails', async () => {
    const failedOnce = new Set<string>();
    const world = mappingWorld({
      settings: { batchSize: 16, bisectBatchOnFunctionError: true },
      script: ({ records }) => {
        const key = records.map(({ text }) => text).join();
        if (failedOnce.has(key)) return;
        failedOnce.add(key);
        throw new FunctionError();
      },
    });
    world.stream.addShard(SHARD);
    for (let i = 1; i <= 16; i += 1) world.stream.put(SHARD, 'a', String(i));
    const finished: string[] = [];
    world.start();
    await world.clock.runUntil(
      () => world.checkpoint(SHARD)?.kind === 'at' && world.batches().at(-1)?.[0] === '16',
    );
    await world.stop();

    for (const batch of world.batches()) if (batch.length === 1) finished.push(...batch);
    const order = finished.filter((text, index) => finished.lastIndexOf(text) === index).map(Number);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });
});

describe('record age', () => {
  it('gives up records older than the limit before invoking, and delivers the rest', async () => {
    const world = mappingWorld({ settings: { batchSize: 10, recordAgeSecondsMax: 60 } });
    world.stream.addShard(SHARD);
    world.stream.put(SHARD, 'a', 'old 1');
    world.stream.put(SHARD, 'a', 'old 2');
    await world.clock.advance(61_000);
    world.stream.put(SHARD, 'a', 'young');
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 1);
    await world.stop();

    expect(world.batches()).toEqual([['young']]);
    expect(world.discarded).toHaveLength(1);
    expect(world.discarded[0]).toMatchObject({ condition: 'RecordAgeExceeded', invokeCount: 0 });
    expect(world.discarded[0]?.lastInvocation).toBeUndefined();
    expect(world.discarded[0]?.records).toHaveLength(2);
  });

  it('gives up a batch that grew too old between its retries', async () => {
    const world = mappingWorld({
      settings: { recordAgeSecondsMax: 60 },
      script: () => {
        throw new FunctionError();
      },
    });
    world.stream.addShard(SHARD);
    world.stream.put(SHARD, 'a', '1');
    world.start();
    await world.clock.runUntil(() => world.discarded.length === 1, 120_000);
    await world.stop();

    expect(world.discarded[0]).toMatchObject({
      condition: 'RecordAgeExceeded',
      invokeCount: world.invocations.length,
    });
    expect(world.invocations.length).toBeGreaterThan(2);
  });
});

describe('an outage, by the settings of the project', () => {
  const { startingPosition: _, ...settings } = LOCAL_MAPPING_SETTINGS;
  const HOUR_MS = 3_600_000;
  const outageOf = (ms: number, fails: () => unknown) => {
    const clock = virtualClock();
    const endMs = clock.now() + ms;
    const world = mappingWorld({
      settings,
      clock,
      script: ({ atMs, records }) => (atMs < endMs ? (fails() ?? failing(...records)) : undefined),
    });
    world.stream.addShard(SHARD);
    const numbers = Array.from({ length: 100 }, (_value, n) =>
      world.stream.put(SHARD, `device-${n}`, String(n)),
    );
    return { world, last: numbers.at(-1) };
  };

  it.each([
    ['of a table: the function finishes nothing', () => undefined],
    [
      'of the function: it throws',
      () => {
        throw new FunctionError();
      },
    ],
  ])('%s for two hours: nothing is given up, and all is delivered in order', async (_name, fails) => {
    const { world, last } = outageOf(2 * HOUR_MS, fails);
    const startMs = world.clock.now();
    world.start();
    const finishedAll = () => {
      const at = world.checkpoint(SHARD);
      return at?.kind === 'at' && at.sequenceNumber === last;
    };
    await world.clock.runUntil(finishedAll, 3 * HOUR_MS);
    await world.stop();
    expect(world.discarded).toEqual([]);
    const delivered = world.invocations
      .filter(({ atMs }) => atMs >= startMs + 2 * HOUR_MS)
      .flatMap(({ records }) => records.map(({ text }) => Number(text)));
    expect(delivered).toEqual(Array.from({ length: 100 }, (_value, n) => n));
  });

  it('of longer than six days: records are given up, whole, a day before the stream drops them', async () => {
    const { world } = outageOf(Number.POSITIVE_INFINITY, () => undefined);
    const startMs = world.clock.now();
    await world.clock.advance(6 * 24 * HOUR_MS - 60_000);
    world.start();
    await world.clock.runUntil(() => world.discarded.length > 0, 3 * HOUR_MS);
    await world.stop();
    expect(world.clock.now() - startMs).toBeGreaterThanOrEqual(6 * 24 * HOUR_MS);
    expect(world.clock.now() - startMs).toBeLessThan((RETENTION_HOURS - 23) * HOUR_MS);
    expect(world.discarded[0]).toMatchObject({ condition: 'RecordAgeExceeded' });
    expect(world.discarded[0]?.records).toHaveLength(100);
  });
});

describe('failure destination', () => {
  it('is asked again until it takes the batch, and only then the checkpoint moves', async () => {
    const world = mappingWorld({
      settings: { retryAttemptsMax: 0 },
      destinationFailures: 5,
      script: () => {
        throw new FunctionError();
      },
    });
    world.stream.addShard(SHARD);
    world.stream.put(SHARD, 'a', '1');
    world.start();
    await world.clock.runUntil(() => (world.metrics.shards()[SHARD]?.discardFailures ?? 0) === 5);
    expect(world.checkpoint(SHARD)).toBeUndefined();
    await world.clock.runUntil(() => world.discarded.length === 1);
    await world.stop();

    expect(world.checkpoint(SHARD)).toMatchObject({ kind: 'at' });
  });

  it('is not needed: without one a batch that is given up is dropped', async () => {
    const world = mappingWorld({
      settings: { retryAttemptsMax: 0, batchSize: 1 },
      destinationFailures: false,
      script: ({ records }) => {
        if (records[0]?.text === 'bad') throw new FunctionError();
      },
    });
    world.stream.addShard(SHARD);
    world.stream.put(SHARD, 'a', 'bad');
    world.stream.put(SHARD, 'a', 'good');
    world.start();
    await world.clock.runUntil(() => world.invocations.length === 2);
    await world.stop();

    expect(world.batches()).toEqual([['bad'], ['good']]);
    expect(world.metrics.shards()[SHARD]?.discarded).toBe(1);
  });
});
