import { expect, test } from 'vitest';
import { resolveOptions, type StreamProducerOptions } from '../src/options.ts';
import { createStreamProducer } from '../src/stream-producer.ts';
import type { StreamTransport } from '../src/transport.ts';

const transport: StreamTransport = {
  putRecords: () => Promise.reject(new Error('not called')),
  listShards: () => Promise.reject(new Error('not called')),
};

test('every option has the default that its description names', () => {
  expect(resolveOptions({ transport })).toMatchObject({
    aggregate: false,
    mixedAggregates: 'divide',
    aggregateBytesMax: 51_200,
    aggregateRecordsMax: 4_096,
    lingerMs: 50,
    requestRecordsMax: 500,
    requestBytesMax: 4 * 1_048_576,
    requestsInFlightMax: 16,
    requestTimeoutMs: 10_000,
    recordBytesMax: 1_048_576,
    bufferBytesMax: 32 * 1_048_576,
    deadlineMs: 300_000,
    backoff: { baseMs: 100, capMs: 5_000 },
    shardBytesPerSecond: 1_048_576,
    shardRecordsPerSecond: 1_000,
    random: Math.random,
    logger: undefined,
  });
});

test('a stream of larger records gets requests that hold one, a stream of smaller ones aggregates that fit', () => {
  expect(resolveOptions({ transport, recordBytesMax: 10 * 1_048_576 }).requestBytesMax).toBe(10 * 1_048_576);
  expect(resolveOptions({ transport, recordBytesMax: 2_048 }).aggregateBytesMax).toBe(2_048);
});

test('an option that is undefined counts as absent', () => {
  const given: Partial<Record<keyof StreamProducerOptions, undefined>> = { lingerMs: undefined };
  expect(resolveOptions({ transport, ...(given as object) }).lingerMs).toBe(50);
});

test.each([
  ['mixedAggregates', 'drop'],
  ['recordBytesMax', 1_023],
  ['recordBytesMax', 10 * 1_048_576 + 1],
  ['aggregateBytesMax', 0],
  ['aggregateBytesMax', 1_048_577],
  ['aggregateRecordsMax', 0],
  ['requestRecordsMax', 501],
  ['requestRecordsMax', 1.5],
  ['requestBytesMax', 1_000],
  ['requestBytesMax', 10 * 1_048_576 + 1],
  ['requestsInFlightMax', 0],
  ['requestTimeoutMs', 0],
  ['bufferBytesMax', 1_048_576],
  ['lingerMs', -1],
  ['lingerMs', Number.NaN],
  ['deadlineMs', 0],
  ['shardBytesPerSecond', 0],
  ['shardRecordsPerSecond', Number.NaN],
  ['requestBytesMax', 1_048_575],
  ['bufferBytesMax', 1_048_576 + 511],
  ['lingerMs', 300_000],
])('%s of %s is refused by name', async (name, value) => {
  await expect(createStreamProducer({ transport, [name]: value })).rejects.toMatchObject({
    code: 'INVALID_PRODUCER_OPTIONS',
    message: expect.stringContaining(`${name}: ${value}`),
  });
});

test.each<Partial<StreamProducerOptions>>([
  { recordBytesMax: 1_024 },
  { recordBytesMax: 10 * 1_048_576 },
  { aggregateBytesMax: 1 },
  { aggregateBytesMax: 1_048_576 },
  { aggregateRecordsMax: 1 },
  { requestRecordsMax: 1 },
  { requestRecordsMax: 500 },
  { requestBytesMax: 1_048_576 },
  { requestBytesMax: 10 * 1_048_576 },
  { requestsInFlightMax: 1 },
  { requestTimeoutMs: 1 },
  { bufferBytesMax: 1_048_576 + 512 },
  { lingerMs: 0, deadlineMs: 1 },
  { lingerMs: 299_999 },
  { backoff: { baseMs: 1, capMs: 1 } },
  { shardBytesPerSecond: 1, shardRecordsPerSecond: 1 },
  { shardBytesPerSecond: Number.POSITIVE_INFINITY, shardRecordsPerSecond: Number.POSITIVE_INFINITY },
])('%j is accepted', (options) => {
  const resolved = resolveOptions({ transport, ...options });
  expect(resolved).toMatchObject(options);
  expect(Object.isFrozen(resolved)).toBe(true);
});

test('all faults are named together', () => {
  expect(() =>
    resolveOptions({ transport, lingerMs: -1, deadlineMs: 0, backoff: { baseMs: 0, capMs: -1 } }),
  ).toThrow(/lingerMs.*deadlineMs.*backoff\.baseMs.*backoff\.capMs/s);
});
