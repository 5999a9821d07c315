import { memoryShardProgressTable } from '@twinstream/latest-state';
import { createLogger, systemClock } from '@twinstream/runtime';
import { readBatch, sequenceNumber } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { describe, expect, test } from 'vitest';
import { advanceProgress } from '../src/advance-progress.ts';
import { record, reported, T0 } from './projector-fixture.ts';

const BATCH = readBatch(lambdaBatch({ records: [8, 9, 10].map((n) => record(n, reported(n))) }));
const NOW = T0 + 60_000;

function progressOf(shardProgress = memoryShardProgressTable(), parallelizationFactor = 1) {
  const clock = { ...systemClock, now: () => NOW };
  const services = { shardProgress, clock, logger: createLogger('test', 'silent') };
  const advance = (unfinished?: string) =>
    advanceProgress(
      services,
      { parallelizationFactor },
      BATCH,
      unfinished === undefined ? undefined : sequenceNumber(unfinished),
    );
  return { advance, read: () => shardProgress.read(BATCH.streamName) };
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
    const { advance, read } = progressOf(memoryShardProgressTable(), 2);
    await advance();
    expect(await read()).toEqual([]);
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
    const { advance, read } = progressOf(failing);
    await advance();
    expect(await read()).toEqual([]);
    await advance();
    expect(await read()).toMatchObject([{ finishedThrough: '10' }]);
  });
});
