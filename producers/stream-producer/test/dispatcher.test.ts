import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import type { TransportRecord } from '../src/transport.ts';
import { createHarness, firstShard, type HarnessOptions, putRound, storedTexts } from './harness.ts';
import { NO_FAULTS } from './kinesis-stub.ts';

const never = new Promise<never>(() => undefined);

test('no more requests are in flight than allowed, and the metrics say how many are and were', async () => {
  const { clock, producer, put, stub } = await createHarness({
    producer: { lingerMs: 0, requestRecordsMax: 1, requestsInFlightMax: 2 },
  });
  for (const device of ['a', 'b', 'c', 'd', 'e']) await put(device, device);
  await clock.advance(1);
  expect(producer.metrics.snapshot()).toMatchObject({ requestsInFlight: 2, requestsSent: 2 });
  expect(stub.counts.requests).toBe(2);
  await clock.run(producer.flush());
  expect(producer.metrics.snapshot()).toMatchObject({ requestsInFlight: 0, requestsSent: 5 });
  expect(stub.records).toHaveLength(5);
});

test('each flush ends the lingering of what was put before it', async () => {
  const { clock, producer, put } = await createHarness({ producer: { lingerMs: 60_000 } });
  const startMs = clock.now();
  for (const text of ['1', '2', '3']) {
    await put('a', text);
    await clock.run(producer.flush());
  }
  expect(clock.now() - startMs).toBe(30);
});

test('a record in flight past its deadline gets the outcome of its answer', async () => {
  const { clock, producer, put, texts } = await createHarness({
    producer: { lingerMs: 0, deadlineMs: 1_000, requestTimeoutMs: 20_000 },
    stub: { latencyMs: [2_000, 2_000] },
  });
  await put('a', '1');
  await clock.run(producer.flush());
  expect([texts('acknowledged'), texts('failed')]).toEqual([['1'], []]);
});

test('a record that waits for a request in flight comes back within a second of its deadline', async () => {
  const { clock, producer, put, texts } = await createHarness({
    producer: { lingerMs: 0, deadlineMs: 2_500, requestsInFlightMax: 1, requestTimeoutMs: 60_000 },
    stub: { latencyMs: [20_000, 20_000] },
  });
  await put('a', 'in flight');
  await clock.advance(1);
  await put('b', 'in line');
  await clock.advance(2_400);
  expect(texts('failed')).toEqual([]);
  await clock.advance(1_100);
  expect(texts('failed')).toEqual(['in line']);
  await clock.run(producer.close());
  expect(texts('acknowledged')).toEqual(['in flight']);
});

test('a record past its deadline is not sent when its turn comes, and later ones of its device are', async () => {
  const { clock, producer, put, texts, outcomes, stub } = await createHarness({
    // The turns of the second and the third come between two looks for what is overdue.
    producer: { lingerMs: 0, deadlineMs: 1_500, shardRecordsPerSecond: 1.25 },
  });
  for (const device of ['a', 'b', 'c', 'd', 'e', 'f']) await put(device, device);
  await clock.advance(1_950);
  const failed = texts('failed');
  expect(failed.length).toBeGreaterThan(0);
  const [text = ''] = failed;
  expect(storedTexts(stub)).not.toContain(text);
  expect(outcomes.find(({ status }) => status === 'failed')).toMatchObject({
    attempts: 0,
    possiblyStored: false,
    reason: { code: 'EVENT_EXPIRED' },
  });
  await clock.advance(10_000);
  await put(text, 'later');
  await clock.run(producer.flush());
  expect(texts('acknowledged')).toContain('later');
});

test('capacity that comes back with expired records goes to the calls of put that wait', async () => {
  const { clock, producer, put, stub } = await createHarness({
    producer: { recordBytesMax: 1_024, bufferBytesMax: 1_536, lingerMs: 1, deadlineMs: 500 },
  });
  stub.isThrottling = true;
  await put('a', 'a'.repeat(1_000));
  const waiting = put('b', 'b'.repeat(1_000));
  await clock.advance(1_500);
  expect(producer.metrics.snapshot()).toMatchObject({ putsWaiting: 0, userRecordsFailed: 1 });
  stub.isThrottling = false;
  await waiting;
  await clock.run(producer.close());
});

test('after an aborted close nothing sleeps, however long records would have lingered', async () => {
  const { clock, producer, put } = await createHarness({ producer: { lingerMs: 60_000 } });
  await put('a', '1');
  const startMs = clock.now();
  await clock.run(producer.close(AbortSignal.abort()));
  await expect(clock.run(never)).rejects.toThrow('nothing sleeps');
  expect(clock.now()).toBe(startMs);
});

test('after close nothing sleeps, although a map was being read again', async () => {
  const { clock, producer, put, stub } = await createHarness({
    producer: { lingerMs: 1 },
    wrap: (inner) => {
      let calls = 0;
      return {
        putRecords: inner.putRecords,
        listShards: (token, signal) => {
          calls += 1;
          return calls === 1 ? inner.listShards(token, signal) : Promise.reject(new Error('no list'));
        },
      };
    },
  });
  stub.split(firstShard(stub));
  await put('a', '1');
  await clock.run(producer.close());
  const closedMs = clock.now();
  await expect(clock.run(never)).rejects.toThrow('nothing sleeps');
  expect(clock.now()).toBe(closedMs);
});

test('an aborted close ends the requests in flight', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const { clock, producer, put } = await createHarness({
    producer: { lingerMs: 0 },
    wrap: (stub) => ({
      listShards: stub.listShards,
      putRecords: (records: readonly TransportRecord[], signal) => {
        signals.push(signal);
        return stub.putRecords(records, signal);
      },
    }),
    stub: { faults: { ...NO_FAULTS, landsLate: 1 } },
  });
  await put('a', '1');
  await clock.advance(1);
  const abort = new AbortController();
  const closed = producer.close(abort.signal);
  expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
  abort.abort();
  await clock.run(closed);
  await clock.advance(1);
  expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
});

test('a close that ends by itself leaves no listener on its signal', async () => {
  const { clock, producer, put } = await createHarness({ producer: { lingerMs: 0 } });
  await put('a', '1');
  const { signal } = new AbortController();
  await clock.run(producer.close(signal));
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test.each([
  ['is acknowledged', '1', {}],
  ['fails', '1', { stub: { faults: { ...NO_FAULTS, requestThrottled: 1 } } }],
  ['is refused', '', {}],
] satisfies [string, string, HarnessOptions][])(
  'a record that %s leaves no listener on the signal of its send',
  async (_, partitionKey, options) => {
    const { clock, producer } = await createHarness({
      ...options,
      producer: { lingerMs: 0, deadlineMs: 50 },
    });
    const { signal } = new AbortController();
    const sent = producer.send({ partitionKey, data: Buffer.from('1') }, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await clock.run(sent.catch(() => undefined));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  },
);

test('each map that is read again is logged and told, and so is a failure to read one', async () => {
  const logged: unknown[] = [];
  const error = new Error('no list');
  let calls = 0;
  const harness = await createHarness({
    producer: {
      lingerMs: 1,
      logger: {
        info: (fields, message) => logged.push(['info', fields, message]),
        warn: (fields, message) => logged.push(['warn', fields, message]),
      },
    },
    wrap: (inner) => ({
      putRecords: inner.putRecords,
      listShards: (token, signal) => {
        calls += 1;
        return calls === 2 ? Promise.reject(error) : inner.listShards(token, signal);
      },
    }),
  });
  const { clock, producer, stub } = harness;
  const events: unknown[] = [];
  producer.metrics.subscribe((event) => {
    if (event.type.startsWith('shard-map')) events.push(event);
  });
  stub.split(firstShard(stub));
  await putRound(harness, 0);
  await clock.run(producer.flush());
  await clock.advance(10_000);
  const openShards = stub.openShards().map(({ shardId }) => shardId);
  expect(events).toEqual([
    { type: 'shard-map-refresh-failed', error },
    { type: 'shard-map-refreshed', openShards },
  ]);
  expect(logged).toEqual([
    ['warn', { error }, 'shard map refresh failed'],
    ['info', { openShards: 2 }, 'shard map refreshed'],
  ]);
  expect(producer.metrics.snapshot().shardMapRefreshes).toBe(1);
});
