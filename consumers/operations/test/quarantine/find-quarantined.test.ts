import type { RejectionReason } from '@twinstream/device-model';
import { memoryQuarantine, type ResolvableQuarantine } from '@twinstream/quarantine';
import { sequenceNumber } from '@twinstream/stream-model';
import { SHARDS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { findQuarantined, type QuarantineFilter } from '../../src/quarantine/find-quarantined.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-11-23T12:00:00Z');
const { signal } = new AbortController();

/** Puts records, one a minute before now, whose sequence numbers end with their number. */
async function quarantineOf(
  count: number,
  reasonsOf: (number: number) => readonly RejectionReason[] = () => ['not-json'],
): Promise<ResolvableQuarantine> {
  const quarantine = memoryQuarantine();
  for (let number = 0; number < count; number += 1) {
    const data = Buffer.from('{');
    await quarantine.put({
      shardId: SHARDS[number % 2 === 0 ? 0 : 1],
      sequenceNumber: sequenceNumber(String(1_000 + number)),
      arrivalTime: NOW - (count - number) * 60_000,
      partitionKey: 'bus-1',
      data,
      entries: reasonsOf(number).map((reason, subSequenceNumber) => ({
        ...{ subSequenceNumber, partitionKey: 'bus-1', reason, detail: 'a test', data },
      })),
    });
  }
  return quarantine;
}

/** Numbers of the records that are found. */
async function found(
  store: ResolvableQuarantine,
  filter: QuarantineFilter = {},
  names: readonly string[] = [],
): Promise<readonly number[]> {
  const records = await Array.fromAsync(findQuarantined(store, filter, names, NOW, signal));
  return records.map(({ record }) => Number(record.sequenceNumber) - 1_000);
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe('records in quarantine', () => {
  test('are all found without a filter, more than are read at the same time', async () => {
    expect((await found(await quarantineOf(40))).toSorted((a, b) => a - b)).toEqual(numbers(0, 40));
  });

  test('are found from a time on, which is included, to before another, to the millisecond', async () => {
    const store = await quarantineOf(40);
    const at = (number: number) => new Date(NOW - (40 - number) * 60_000).toISOString();
    const filter = { from: at(10), to: at(20) };
    expect((await found(store, filter)).toSorted((a, b) => a - b)).toEqual(numbers(10, 20));
  });

  test('are found from a duration ago on', async () => {
    const store = await quarantineOf(40);
    expect((await found(store, { from: 'PT5M' })).toSorted((a, b) => a - b)).toEqual(numbers(35, 40));
  });

  test('are found by one of the reasons of any of their entries', async () => {
    const store = await quarantineOf(3, (number) =>
      number === 1 ? ['not-json', 'not-object'] : ['not-json'],
    );
    expect(await found(store, { rejection: ['not-object', 'too-large'] })).toEqual([1]);
    expect(await found(store, { rejection: ['too-large'] })).toEqual([]);
  });

  test('are found by their shards', async () => {
    expect(await found(await quarantineOf(6), { shard: [SHARDS[1]] })).toEqual([1, 3, 5]);
  });

  test('are found by key, or by shard and sequence number', async () => {
    const store = await quarantineOf(6);
    const keys = (await Array.fromAsync(store.list({ signal }))).map(({ key }) => key);
    const key = keys.find((one) => one.includes('1004')) ?? '';
    expect((await found(store, {}, [key, `${SHARDS[1]}:1003`])).toSorted()).toEqual([3, 4]);
  });

  test('are as many as the limit says, counted after the filter, and no more are read than a batch', async () => {
    const quarantine = await quarantineOf(100, (number) => (number % 4 < 2 ? ['not-json'] : ['too-large']));
    let reads = 0;
    const store = {
      ...quarantine,
      read: (...args: Parameters<typeof quarantine.read>) => {
        reads += 1;
        return quarantine.read(...args);
      },
    };
    expect(await found(store, { limit: 5, rejection: ['too-large'] })).toHaveLength(5);
    expect(reads).toBe(16);
  });

  test('are passed over where somebody has taken them out meanwhile', async () => {
    const quarantine = await quarantineOf(3);
    const store = {
      ...quarantine,
      read: async (key: string) => (key.includes('1001') ? undefined : quarantine.read(key)),
    };
    expect(await found(store)).toEqual([0, 2]);
  });

  test.each([
    [{ rejection: ['not-jsn'] }, '--rejection not-jsn: there is '],
    [{ shard: ['shard/1'] }, 'shard/1'],
  ])('are not looked for with a filter that names what there is not: %j', async (filter, message) => {
    await expect(found(await quarantineOf(1), filter)).rejects.toMatchObject({
      code: 'INVALID_USAGE',
      message: expect.stringContaining(message),
    });
  });

  test('of the hours before the window are not listed', async () => {
    const queries: unknown[] = [];
    const store = await quarantineOf(0);
    const watched: ResolvableQuarantine = {
      ...store,
      list: (query) => {
        queries.push({ from: query?.from, to: query?.to });
        return store.list(query);
      },
    };
    await found(watched, { from: 'PT2H', to: 'PT1H' });
    expect(queries).toEqual([{ from: NOW - 2 * HOUR_MS, to: NOW - HOUR_MS }]);
  });
});
