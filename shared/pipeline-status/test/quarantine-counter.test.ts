import { memoryQuarantine, type QuarantineQuery } from '@twinstream/quarantine';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { steppingClock, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { quarantineCounter } from '../src/quarantine-counter.ts';

const HOUR_MS = 3_600_000;

function fixture() {
  const clock = steppingClock();
  const store = memoryQuarantine();
  const queries: (QuarantineQuery | undefined)[] = [];
  const counter = quarantineCounter({
    store: {
      list: (query) => {
        queries.push(query);
        return store.list(query);
      },
    },
    clock,
  });
  let number = 0;
  const put = (arrivalTime: number, entryCount = 1) => {
    number += 1;
    const data = new Uint8Array();
    const entries = Array.from({ length: entryCount }, (_, subSequenceNumber) => ({
      reason: 'empty' as const,
      detail: 'the record has no bytes',
      subSequenceNumber,
      partitionKey: 'k',
      data,
    }));
    return store.put({
      shardId: shardId('shardId-000000000000'),
      sequenceNumber: sequenceNumber(String(number)),
      arrivalTime,
      partitionKey: 'k',
      data,
      entries,
    });
  };
  return { clock, counter, put, queries };
}

describe('the quarantine counter', () => {
  test('counts entries, not objects', async () => {
    const { counter, put } = fixture();
    await put(TEST_TIME_MS - 5 * HOUR_MS, 3);
    await put(TEST_TIME_MS, 2);
    expect(await counter.count(TEST_TIME_MS)).toBe(5);
  });

  test('lists again only the hours that can still grow', async () => {
    const { counter, put, clock, queries } = fixture();
    for (let n = 0; n < 1_000; n += 1) await put(TEST_TIME_MS - 30 * HOUR_MS, 3);
    await put(TEST_TIME_MS - 1_000);
    await counter.count(TEST_TIME_MS - 1_000);
    await put(TEST_TIME_MS + 2_000);
    clock.advance(6_000);
    expect(await counter.count(TEST_TIME_MS + 6_000)).toBe(3_002);
    expect(queries.map((query) => query?.from)).toEqual([undefined, TEST_TIME_MS - 1_000 - HOUR_MS]);
  });

  test('finds what arrived long ago and is quarantined now by a projector that lags', async () => {
    const { counter, put, clock } = fixture();
    expect(await counter.count(TEST_TIME_MS - 20 * HOUR_MS)).toBe(0);
    await put(TEST_TIME_MS - 20 * HOUR_MS + 1_000);
    clock.advance(6_000);
    expect(await counter.count(TEST_TIME_MS - 19 * HOUR_MS)).toBe(1);
  });

  test('lists at most once in five seconds', async () => {
    const { counter, clock, queries } = fixture();
    for (let second = 0; second < 12; second += 1) {
      await counter.count(TEST_TIME_MS);
      clock.advance(1_000);
    }
    expect(queries).toHaveLength(2);
  });

  test('notices that records were taken out: soon among few, after ten minutes among many', async () => {
    const { counter, put, clock, queries } = fixture();
    await put(TEST_TIME_MS);
    await counter.count(TEST_TIME_MS);
    clock.advance(6_000);
    await counter.count(TEST_TIME_MS);
    expect(queries.at(-1)?.from).toBeUndefined();
    for (let n = 0; n < 1_000; n += 1) await put(TEST_TIME_MS);
    clock.advance(6_000);
    await counter.count(TEST_TIME_MS);
    clock.advance(6_000);
    await counter.count(TEST_TIME_MS);
    expect(queries.at(-1)?.from).toBeDefined();
    clock.advance(601_000);
    await counter.count(TEST_TIME_MS);
    expect(queries.at(-1)?.from).toBeUndefined();
  });
});
