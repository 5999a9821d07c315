import { memoryShardProgressTable } from '@twinstream/latest-state';
import { createLogger, systemClock } from '@twinstream/runtime';
import { readBatch, sequenceNumber } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { describe, expect, test } from 'vitest';
import { advanceProgress, OVERLAP_SILENCE_MS } from '../src/advance-progress.ts';
import { projectorFixture, record, reported, T0 } from './projector-fixture.ts';

const BATCH = readBatch(lambdaBatch({ records: [8, 9, 10].map((n) => record(n, reported(n))) }));
const NOW = T0 + 60_000;

function progressOf(shardProgress = memoryShardProgressTable()) {
  const clock = { ...systemClock, now: () => NOW };
  const logged: Record<string, unknown>[] = [];
  const logger = createLogger('test', 'info', { write: (line) => logged.push(JSON.parse(line)) });
  const services = { shardProgress, clock, logger };
  const advance = (unfinished?: string, batch = BATCH) =>
    advanceProgress(services, batch, unfinished === undefined ? undefined : sequenceNumber(unfinished));
  return { advance, logged, shardProgress, read: () => shardProgress.read(BATCH.streamName) };
}

describe('shard progress', () => {
  test('is the last record of a finished batch', async () => {
    const { advance, read } = progressOf();
    await advance();
    const { shardId } = BATCH;
    expect(await read()).toEqual([
      { shardId, finishedThrough: '10', arrivalTime: T0 + 10, updatedTime: NOW },
    ]);
  });

  test('ends before the earliest unfinished record, by number and not by text', async () => {
    const { advance, read } = progressOf();
    await advance('10');
    expect(await read()).toMatchObject([{ finishedThrough: '9' }]);
  });

  test('is not claimed when the first record is unfinished', async () => {
    const { advance, read } = progressOf();
    await advance('8');
    expect(await read()).toEqual([]);
  });

  test('is not known to one of several invocations of a shard', async () => {
    const { deliver, services } = projectorFixture({}, { parallelizationFactor: 2 });
    await deliver([record(8, reported(8))]);
    expect(await services.shardProgress.read('device-events')).toEqual([]);
  });

  test('does not fail its batch when it cannot be written, and is claimed by the next', async () => {
    const table = memoryShardProgressTable();
    let failures = 1;
    const failing: typeof table = {
      ...table,
      advance: async (...claim) => {
        failures -= 1;
        if (failures >= 0) throw new Error('throttled');
        return await table.advance(...claim);
      },
    };
    const { advance, read, logged } = progressOf(failing);
    await advance();
    expect(await read()).toEqual([]);
    const { shardId } = BATCH;
    expect(logged).toMatchObject([{ level: 40, shardId, error: { message: 'throttled' } }]);
    await advance();
    expect(logged).toHaveLength(1);
    expect(await read()).toMatchObject([{ finishedThrough: '10' }]);
  });
});

describe('a parallelization factor that is set on the mapping alone', () => {
  const sent = (...numbers: readonly number[]) => numbers.map((n) => record(n, reported(n)));

  test('is noticed where progress lies between the records of a batch, and no more of it is claimed', async () => {
    const clock = { ...systemClock, now: () => now };
    let now = NOW;
    const { deliver, services, summaries } = projectorFixture({ clock });
    const finishedThrough = async () =>
      (await services.shardProgress.read('device-events'))[0]?.finishedThrough;
    await deliver(sent(1, 3, 5));
    expect(summaries.at(-1)?.progressOverlaps).toBe(0);
    await deliver(sent(2, 4, 6));
    expect(summaries.at(-1)?.progressOverlaps).toBe(1);
    await deliver(sent(7, 9));
    expect(await finishedThrough()).toBe('6');
    now += OVERLAP_SILENCE_MS;
    await deliver(sent(10, 11));
    expect(await finishedThrough()).toBe('11');
  });

  test('is reported by its code, with the shard and the progress of the other batch', async () => {
    const { advance, logged, shardProgress } = progressOf();
    const progress = { arrivalTime: T0, updatedTime: NOW, shardId: BATCH.shardId };
    await shardProgress.advance(BATCH.streamName, { ...progress, finishedThrough: sequenceNumber('8') });
    expect(await advance()).toBeUndefined();
    expect(logged).toEqual([]);
    const between = progressOf();
    const sparse = {
      ...BATCH,
      records: BATCH.records.filter(({ sequenceNumber: number }) => number !== '9'),
    };
    await between.shardProgress.advance(BATCH.streamName, {
      ...progress,
      finishedThrough: sequenceNumber('9'),
    });
    expect(await between.advance(undefined, sparse)).toBe('overlap');
    expect(between.logged).toMatchObject([
      {
        level: 50,
        code: 'PARALLEL_BATCHES',
        shardId: BATCH.shardId,
        before: '9',
        error: { code: 'PARALLEL_BATCHES' },
      },
    ]);
  });

  test('is not suspected where a batch is delivered again, in part, with more behind it, or after a pause', async () => {
    const { deliver, container, summaries } = projectorFixture();
    await deliver(sent(1, 2, 3));
    await container()(sent(2, 3, 4));
    await deliver(sent(3, 4));
    await deliver(sent(4, 5, 6));
    await deliver(sent(9, 10));
    expect(summaries.map(({ progressOverlaps }) => progressOverlaps)).toEqual([0, 0, 0, 0, 0]);
  });
});
