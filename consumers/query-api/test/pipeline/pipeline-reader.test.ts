import { memoryShardProgressTable } from '@twinstream/latest-state';
import type { StreamReader } from '@twinstream/pipeline-status';
import { createLogger } from '@twinstream/runtime';
import { type Shard, sequenceNumber, shardId } from '@twinstream/stream-model';
import { TEST_TIME_MS, virtualClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { createPipelineReader } from '../../src/pipeline/pipeline-reader.ts';

const OPEN = shardId('shardId-000000000001');
const CLOSED = shardId('shardId-000000000000');
const hashKeyRange = { start: 0n, end: 1n };
const SHARDS: readonly Shard[] = [
  { shardId: CLOSED, isOpen: false, hashKeyRange },
  { shardId: OPEN, isOpen: true, hashKeyRange },
];

async function fixture(over: Partial<StreamReader> = {}) {
  const clock = virtualClock();
  const progress = memoryShardProgressTable();
  await progress.advance('s', {
    shardId: OPEN,
    finishedThrough: sequenceNumber('49590338'),
    arrivalTime: TEST_TIME_MS - 5_000,
    updatedTime: TEST_TIME_MS,
  });
  const calls: string[] = [];
  let wakes = 0;
  const stream: StreamReader = {
    describe: async () => {
      calls.push('describe');
      return { retentionHours: 168, shards: SHARDS };
    },
    lag: async (shard, after) => {
      calls.push(`lag ${shard} ${after}`);
      return shard === OPEN
        ? { lagMs: 1_500, asOf: TEST_TIME_MS - 700, records: { count: 12, hasMore: false } }
        : { lagMs: 0, asOf: TEST_TIME_MS };
    },
    recordsPerSecond: async () => 12.5,
    processedPerSecond: (shard) => (shard === OPEN ? 8.333 : undefined),
    ...over,
  };
  const read = createPipelineReader({
    streamName: 's',
    stream,
    progress,
    quarantine: { count: async (from) => (from === TEST_TIME_MS - 5_000 ? 3 : -1) },
    archive: { lastDeliveryTime: async () => TEST_TIME_MS - 60_000 },
    keepFollowing: () => {
      wakes += 1;
    },
    clock,
    logger: createLogger('test', 'silent'),
  });
  return { clock, calls, read, wakes: () => wakes };
}

describe('the pipeline reader', () => {
  test('has the stream followed while somebody asks', async () => {
    const { read, wakes } = await fixture();
    await read();
    expect(wakes()).toBe(1);
  });

  test('brings together stream, progress, quarantine and archive', async () => {
    const { read, calls } = await fixture();
    expect(await read()).toEqual({
      // Of the shard that was looked at longest ago.
      asOf: new Date(TEST_TIME_MS - 700).toISOString(),
      stream: 's',
      retentionHours: 168,
      shards: [
        {
          shardId: CLOSED,
          state: 'CLOSED',
          lagMs: 0,
          recordsPerSecond: 0,
          finishedThrough: null,
          processedPerSecond: null,
          backlogRecords: null,
        },
        {
          shardId: OPEN,
          state: 'OPEN',
          lagMs: 1_500,
          recordsPerSecond: 12.5,
          finishedThrough: '49590338',
          processedPerSecond: 8.33,
          backlogRecords: 12,
        },
      ],
      quarantined: 3,
      archive: { lastDeliveryTime: '2026-11-02T07:59:00.000Z' },
    });
    expect(calls).toContain(`lag ${OPEN} 49590338`);
  });

  test('reads the stream once in two seconds, however many ask', async () => {
    const { read, calls, clock } = await fixture();
    await Promise.all(Array.from({ length: 50 }, read));
    expect(calls.filter((call) => call === 'describe')).toHaveLength(1);
    await clock.advance(2_001);
    await read();
    expect(calls.filter((call) => call === 'describe')).toHaveLength(2);
  });

  test('has null for what a shard does not tell, and the rest', async () => {
    const { read } = await fixture({ lag: () => Promise.reject(new Error('throttled')) });
    expect((await read()).shards[1]).toMatchObject({ lagMs: null, recordsPerSecond: 12.5 });
  });

  test('keeps no failure', async () => {
    let isAway = true;
    const { read } = await fixture({
      describe: async () => {
        if (isAway) throw new Error('away');
        return { retentionHours: 24, shards: [] };
      },
    });
    await expect(read()).rejects.toThrow('away');
    isAway = false;
    expect((await read()).retentionHours).toBe(24);
  });
});
