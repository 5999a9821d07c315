import { createAggregateBuilder, decodeRecord, shardId } from '@twinstream/stream-model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AGGREGATE_LANES_PER_SHARD } from '../src/aggregate-lanes.ts';
import { createAggregator } from '../src/aggregator.ts';
import { AGGREGATED_RECORD_OVERHEAD_BYTES, appendToLane, createLane } from '../src/lane.ts';
import { createShardQueue } from '../src/shard-queues.ts';
import { createHarness } from './harness.ts';
import { bytesOf, type KinesisStub } from './kinesis-stub.ts';

/** Notes the requests that reach the stub: the number of their records and their bytes. */
function noting(requests: { count: number; bytes: number; atMs: number }[]) {
  return (stub: KinesisStub, clock: { now(): number }) => ({
    listShards: stub.listShards,
    putRecords: (records: Parameters<KinesisStub['putRecords']>[0], signal: AbortSignal) => {
      const bytes = records.reduce((sum, record) => sum + bytesOf(record), 0);
      requests.push({ count: records.length, bytes, atMs: clock.now() });
      return stub.putRecords(records, signal);
    },
  });
}

const noLimits = { shardRecordsPerSecond: Infinity, shardBytesPerSecond: Infinity };

test('a record lingers up to its limit, and then all lingering records go together', async () => {
  const requests: { count: number; bytes: number; atMs: number }[] = [];
  const { clock, producer, put } = await createHarness({
    wrap: noting(requests),
    producer: { lingerMs: 50 },
  });
  const startMs = clock.now();
  await put('a', '1');
  await clock.advance(30);
  await put('b', '2');
  await clock.run(producer.flush().then(() => undefined));
  expect(requests).toEqual([{ count: 2, bytes: 4, atMs: startMs + 30 }]);
  await put('a', '3');
  await clock.advance(49);
  expect(requests).toHaveLength(1);
  await put('b', '4');
  await clock.advance(1);
  expect(requests[1]).toMatchObject({ count: 2 });
});

test('500 lingering devices fill a request', async () => {
  const requests: { count: number; bytes: number; atMs: number }[] = [];
  const { clock, put } = await createHarness({
    wrap: noting(requests),
    producer: { ...noLimits, lingerMs: 60_000 },
  });
  for (let device = 0; device < 499; device += 1) await put(`device-${device}`, 'x');
  await clock.advance(10);
  expect(requests).toEqual([]);
  await put('one more', 'x');
  await clock.advance(10);
  expect(requests).toMatchObject([{ count: 500 }]);
});

test('a full aggregate goes immediately', async () => {
  const requests: { count: number; bytes: number; atMs: number }[] = [];
  const { clock, put } = await createHarness({
    wrap: noting(requests),
    producer: { aggregate: true, aggregateBytesMax: 2_000, lingerMs: 60_000 },
  });
  for (let number = 0; number < 30; number += 1) await put('a', 'x'.repeat(100));
  await clock.advance(10);
  expect(requests.length).toBeGreaterThan(0);
  for (const { bytes } of requests) expect(bytes).toBeLessThanOrEqual(2_007);
});

test('an aggregate holds no more records than it may', async () => {
  const requests: { count: number; bytes: number; atMs: number }[] = [];
  const { clock, producer, put } = await createHarness({
    wrap: noting(requests),
    producer: { aggregate: true, aggregateRecordsMax: 3 },
  });
  for (let number = 0; number < 10; number += 1) await put('a', String(number));
  await clock.run(producer.flush());
  expect(producer.metrics.snapshot()).toMatchObject({ recordsSent: 4, userRecordsAcknowledged: 10 });
});

test('a record larger than an aggregate should be travels in an aggregate of its own', async () => {
  const requests: { count: number; bytes: number; atMs: number }[] = [];
  const { clock, producer, put } = await createHarness({
    wrap: noting(requests),
    producer: { aggregate: true, aggregateBytesMax: 1_000 },
  });
  for (const size of [10, 5_000, 10]) await put('a', 'x'.repeat(size));
  await clock.run(producer.flush());
  expect(requests.map(({ bytes }) => bytes > 5_000)).toEqual([false, true, false]);
});

describe('requests', () => {
  test.each([
    ['without aggregation', { requestRecordsMax: 7 }],
    ['with aggregation', { requestRecordsMax: 7, aggregate: true, aggregateBytesMax: 400 }],
    ['small in bytes', { requestBytesMax: 2_048, recordBytesMax: 2_048 }],
    ['small in bytes, with aggregation', { requestBytesMax: 2_048, recordBytesMax: 2_048, aggregate: true }],
  ])('%s never exceed their limits', async (_, producerOptions) => {
    const requests: { count: number; bytes: number; atMs: number }[] = [];
    const { clock, producer, put } = await createHarness({
      wrap: noting(requests),
      producer: { ...noLimits, ...producerOptions },
    });
    for (let index = 0; index < 600; index += 1)
      await put(`device-${(index * 7) % 90}`, 'x'.repeat(index % 300));
    await clock.run(producer.flush());
    expect(producer.metrics.snapshot().userRecordsAcknowledged).toBe(600);
    for (const { count, bytes } of requests) {
      expect(count).toBeLessThanOrEqual(7 * ('requestRecordsMax' in producerOptions ? 1 : 100));
      expect(bytes).toBeLessThanOrEqual('requestBytesMax' in producerOptions ? 2_048 : 4_194_304);
    }
  });

  test('no more requests are in flight than allowed', async () => {
    const { clock, producer, put } = await createHarness({
      producer: { ...noLimits, requestsInFlightMax: 2, requestRecordsMax: 1, lingerMs: 0 },
    });
    const seen: number[] = [];
    producer.metrics.subscribe(() => seen.push(producer.metrics.snapshot().requestsInFlight));
    for (let device = 0; device < 20; device += 1) await put(`device-${device}`, 'x');
    await clock.run(producer.flush());
    expect(producer.metrics.snapshot().requestsSent).toBe(20);
    expect(Math.max(...seen)).toBeLessThanOrEqual(2);
  });
});

test('what aggregation adds to a record is never more than the producer reckons with', () => {
  const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 });
  const record = fc.record(
    {
      partitionKey: key,
      data: fc.integer({ min: 0, max: 30_000 }).map((size) => new Uint8Array(size)),
      explicitHashKey: fc.bigInt(0n, 2n ** 128n - 1n).map(String),
    },
    { requiredKeys: ['partitionKey', 'data'] },
  );
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 300 }), (records) => {
      const builder = createAggregateBuilder(10 * 1_048_576);
      const envelope = builder.bytes;
      let reckoned = 0;
      for (const { partitionKey, data, explicitHashKey } of records) {
        builder.add(
          explicitHashKey === undefined ? { partitionKey, data } : { partitionKey, data, explicitHashKey },
        );
        const keys = Buffer.byteLength(partitionKey) + (explicitHashKey?.length ?? 0);
        reckoned += data.length + keys + AGGREGATED_RECORD_OVERHEAD_BYTES;
      }
      expect(builder.bytes - envelope).toBeLessThanOrEqual(reckoned);
    }),
  );
});

test('an aggregator packs the first records of a lane, in order, and leaves the lane as it is', () => {
  const home = createShardQueue<{ partitionKey: string; data: Uint8Array }>(
    { shardId: shardId('shardId-0'), hashKeyRange: { start: 5n, end: 9n }, isOpen: true },
    { bytesPerSecond: 1, recordsPerSecond: 1 },
    0,
  );
  const lane = createLane('lane-03', home);
  for (const text of ['1', '2', '3']) {
    const record = { partitionKey: 'd', data: Buffer.from(text) };
    const counts = { bytes: 2, generation: { pendingCount: 1 }, attempts: 0, putAtMs: 0 };
    appendToLane(lane, {
      record,
      onOutcome: undefined,
      possiblyStored: false,
      failure: undefined,
      ...counts,
    });
  }
  const pack = createAggregator<{ partitionKey: string; data: Uint8Array }>({
    aggregateBytesMax: 1_000,
    aggregateRecordsMax: 100,
    recordBytesMax: 2_000,
    outerKeyBytes: 7,
  });
  const { transport, count, bytes } = pack(lane, 2);
  expect(transport).toMatchObject({ partitionKey: 'lane-03', explicitHashKey: '5' });
  expect(decodeRecord(transport.data)).toMatchObject({
    records: [{ data: Buffer.from('1') }, { data: Buffer.from('2') }],
  });
  expect(count).toBe(2);
  expect(bytes).toBe(transport.data.length + 7);
  expect(lane.queue.items).toHaveLength(3);
});

test('aggregated, a lane that holds anything holds the events of a linger: m / (1 − e^−m), as plans assume', async () => {
  const lingerMs = 50;
  for (const eventsPerLane of [0.5, 4]) {
    const { clock, stub, producer, put } = await createHarness({
      producer: { ...noLimits, aggregate: true, lingerMs },
    });
    const eventsPerMs = (eventsPerLane * AGGREGATE_LANES_PER_SHARD) / lingerMs;
    let sent = 0;
    for (let ms = 1; ms <= 2_000; ms += 1) {
      for (; sent < ms * eventsPerMs; sent += 1) await put(`device-${sent}`, '{}');
      await clock.advance(1);
    }
    await clock.run(producer.flush().then(() => undefined));
    const expected = eventsPerLane / (1 - Math.exp(-eventsPerLane));
    expect(Math.abs(sent / stub.records.length / expected - 1)).toBeLessThan(0.1);
  }
});
