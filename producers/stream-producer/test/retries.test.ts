import { CodedError } from '@twinstream/runtime';
import { decodeRecord } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import type { ProducerEvent } from '../src/metrics.ts';
import type { StreamTransport, TransportRecord } from '../src/transport.ts';
import { createHarness, storedTexts, textOf } from './harness.ts';
import { type KinesisStub, NO_FAULTS } from './kinesis-stub.ts';

const coded = (code: string, retryable: boolean): CodedError =>
  new CodedError(code, 'injected', { retryable });

/** A stub whose first calls fail in the given ways, before anything is stored. */
function failingFirst(...errors: readonly unknown[]) {
  return (stub: KinesisStub): StreamTransport => {
    const left = [...errors];
    return {
      listShards: stub.listShards,
      async putRecords(records, signal) {
        if (left.length > 0) throw left.shift();
        return stub.putRecords(records, signal);
      },
    };
  };
}

test('a record that fails inside an answered request is sent again before anything later of its device', async () => {
  const { clock, producer, put, stub, outcomes } = await createHarness({ producer: { lingerMs: 1 } });
  stub.faults = { ...NO_FAULTS, recordFails: 1 };
  for (const text of ['1', '2', '3']) await put('a', text);
  await clock.advance(20);
  stub.faults = NO_FAULTS;
  await clock.run(producer.flush());
  expect(storedTexts(stub)).toEqual(['1', '2', '3']);
  expect(outcomes.map((outcome) => outcome.attempts)).toEqual([expect.toSatisfy((tries) => tries > 1), 1, 1]);
});

test('without aggregation a device never has two records in flight', async () => {
  let inFlight = 0;
  let inFlightMax = 0;
  const { clock, producer, put } = await createHarness({
    producer: { lingerMs: 0 },
    wrap: (stub) => ({
      listShards: stub.listShards,
      async putRecords(records, signal) {
        inFlight += records.length;
        inFlightMax = Math.max(inFlightMax, inFlight);
        const answers = await stub.putRecords(records, signal);
        inFlight -= records.length;
        return answers;
      },
    }),
  });
  for (let number = 0; number < 50; number += 1) await put('a', String(number));
  await clock.run(producer.flush());
  expect(inFlightMax).toBe(1);
});

test('a record whose answer was lost is sent again, and acknowledged where its second copy is', async () => {
  const { clock, producer, put, stub, outcomes } = await createHarness({ producer: { lingerMs: 1 } });
  stub.faults = { ...NO_FAULTS, answerLost: 1 };
  await put('a', '1');
  await clock.advance(12);
  stub.faults = NO_FAULTS;
  await clock.run(producer.flush());
  expect(storedTexts(stub)).toEqual(['1', '1']);
  expect(outcomes).toMatchObject([
    { status: 'acknowledged', attempts: 2, position: { sequenceNumber: stub.records[1]?.sequenceNumber } },
  ]);
  expect(producer.metrics.snapshot()).toMatchObject({ requestsUnanswered: 1, retries: { unanswered: 1 } });
});

test('a request that is never answered counts as lost after its time, and its answer after that is ignored', async () => {
  const { clock, producer, put, stub, outcomes } = await createHarness({
    producer: { lingerMs: 1, requestTimeoutMs: 200 },
  });
  stub.faults = { ...NO_FAULTS, landsLate: 1 };
  await put('a', '1');
  await clock.advance(150);
  stub.faults = NO_FAULTS;
  expect(outcomes).toEqual([]);
  await clock.run(producer.flush());
  await clock.advance(60_000);
  expect(storedTexts(stub)).toEqual(['1', '1']);
  expect(outcomes).toMatchObject([{ status: 'acknowledged', attempts: 2 }]);
});

test.each([
  ['an error without a code', new Error('socket hang up'), 'requestsUnanswered', 'unanswered'],
  ['no answer', coded('STREAM_UNAVAILABLE', true), 'requestsUnanswered', 'unanswered'],
  ['a throttled request', coded('STREAM_THROTTLED', true), 'requestsThrottled', 'throttled'],
])('%s is retried', async (_, error, counter, reason) => {
  const { clock, producer, put, texts } = await createHarness({
    wrap: failingFirst(error, error),
    producer: { lingerMs: 1 },
  });
  await put('a', '1');
  await clock.run(producer.flush());
  expect(texts('acknowledged')).toEqual(['1']);
  expect(producer.metrics.snapshot()).toMatchObject({ [counter]: 2, retries: { [reason]: 2 } });
});

test('fewer answers than records are no answer', async () => {
  let calls = 0;
  const { clock, producer, put, texts, stub } = await createHarness({
    producer: { lingerMs: 1 },
    wrap: (inner) => ({
      listShards: inner.listShards,
      async putRecords(records, signal) {
        calls += 1;
        const answers = await inner.putRecords(records, signal);
        return calls === 1 ? answers.slice(1) : answers;
      },
    }),
  });
  await put('a', '1');
  await put('b', '2');
  await clock.run(producer.flush());
  expect(texts('acknowledged').toSorted()).toEqual(['1', '2']);
  expect(stub.records).toHaveLength(4);
});

test('the waits before retries are full jitter of the backoff, and start again after a success', async () => {
  const events: ProducerEvent[] = [];
  const { clock, producer, put, stub } = await createHarness({
    producer: { lingerMs: 1, backoff: { baseMs: 100, capMs: 800 } },
  });
  producer.metrics.subscribe((event) => events.push(event));
  stub.isThrottling = true;
  await put('a', '1');
  await clock.advance(60_000);
  stub.isThrottling = false;
  await clock.run(producer.flush());
  stub.isThrottling = true;
  await put('a', '2');
  await clock.advance(100);
  const delays = events.flatMap((event) => (event.type === 'retry' ? [event.delayMs] : []));
  for (const [index, delayMs] of delays.slice(0, 30).entries()) {
    expect(delayMs).toBeLessThanOrEqual(Math.min(800, 100 * 2 ** index));
  }
  expect(Math.max(...delays)).toBeGreaterThan(400);
  const restarted = events.filter((event) => event.type === 'retry').at(-1);
  expect(restarted?.delayMs).toBeLessThanOrEqual(200);
  stub.isThrottling = false;
  await clock.run(producer.close());
});

describe('a request that the stream refuses as malformed', () => {
  /** Refuses every request that holds the text, as a service does that validates the whole request first. */
  const poisoned =
    (culprit: string) =>
    (stub: KinesisStub): StreamTransport => ({
      listShards: stub.listShards,
      async putRecords(records, signal) {
        if (records.some((record) => isInside(record, culprit))) throw coded('REQUEST_INVALID', false);
        return stub.putRecords(records, signal);
      },
    });

  test.each([false, true])('costs its culprit alone (aggregate: %s)', async (aggregate) => {
    const { clock, producer, put, texts, outcomes, stub } = await createHarness({
      wrap: poisoned('culprit'),
      producer: { aggregate, shardRecordsPerSecond: Number.POSITIVE_INFINITY },
    });
    for (let device = 0; device < 30; device += 1) {
      for (let number = 0; number < 4; number += 1) {
        await put(`device-${device}`, device === 7 && number === 1 ? 'culprit' : `${device}/${number}`);
      }
    }
    const report = await clock.run(producer.flush());
    expect(report).toMatchObject({ acknowledgedCount: 119, failedCount: 1 });
    expect(texts('failed')).toEqual(['culprit']);
    expect(outcomes.find(({ status }) => status === 'failed')).toMatchObject({
      reason: { code: 'STREAM_REJECTED', retryable: false, cause: { code: 'REQUEST_INVALID' } },
      possiblyStored: false,
    });
    const ofSeven = texts('acknowledged').filter((text) => text.startsWith('7/'));
    expect(ofSeven).toEqual(['7/0', '7/2', '7/3']);
    // The suspicion is over: the next records share requests again.
    const before = stub.counts.requests;
    for (let device = 0; device < 30; device += 1) await put(`device-${device}`, 'later');
    await clock.run(producer.flush());
    expect(stub.counts.requests - before).toBe(1);
  });

  function isInside(record: TransportRecord, text: string): boolean {
    const decoded = decodeRecord(record.data);
    const entries = decoded.status === 'aggregated' ? decoded.records : [record];
    return entries.some(({ data }) => textOf(data) === text);
  }
});

test('a stream that refuses for good returns every record, in order, and takes later ones', async () => {
  const { clock, producer, put, texts, outcomes } = await createHarness({
    wrap: failingFirst(coded('STREAM_REJECTED', false)),
    producer: { lingerMs: 1 },
  });
  await put('a', '1');
  await put('a', '2');
  await clock.run(producer.flush());
  expect(texts('failed')).toEqual(['1']);
  expect(outcomes[0]).toMatchObject({
    reason: { code: 'STREAM_REJECTED' },
    attempts: 1,
    possiblyStored: false,
  });
  expect(texts('acknowledged')).toEqual(['2']);
});

describe('deadlines', () => {
  test('a record past its deadline comes back with the last failure, and later ones of its device go on', async () => {
    const { clock, producer, put, texts, outcomes, stub } = await createHarness({
      producer: { lingerMs: 1, deadlineMs: 3_000, backoff: { baseMs: 10, capMs: 50 } },
    });
    stub.isThrottling = true;
    await put('a', 'early');
    await clock.advance(2_500);
    await put('a', 'late');
    await clock.advance(1_500);
    stub.isThrottling = false;
    await clock.run(producer.flush());
    expect(texts('failed')).toEqual(['early']);
    expect(texts('acknowledged')).toEqual(['late']);
    expect(outcomes[0]).toMatchObject({
      reason: { code: 'EVENT_EXPIRED', retryable: true, cause: { code: 'RECORD_REFUSED' } },
      possiblyStored: false,
    });
  });

  test('a record that expires after a lost answer says that it may be stored', async () => {
    const { clock, producer, put, outcomes, stub } = await createHarness({
      producer: { lingerMs: 1, deadlineMs: 500 },
    });
    stub.faults = { ...NO_FAULTS, answerLost: 1 };
    await put('a', '1');
    await clock.run(producer.flush());
    expect(storedTexts(stub)).toContain('1');
    expect(outcomes).toMatchObject([
      { status: 'failed', possiblyStored: true, reason: { code: 'EVENT_EXPIRED' } },
    ]);
  });

  test('records that wait for a shard that takes nothing expire too, and one event tells how many', async () => {
    const expired: number[] = [];
    const { clock, producer, put, stub } = await createHarness({
      producer: {
        lingerMs: 1,
        deadlineMs: 2_000,
        shardRecordsPerSecond: 1,
        backoff: { baseMs: 5_000, capMs: 60_000 },
      },
    });
    producer.metrics.subscribe((event) => {
      if (event.type === 'expired') expired.push(event.userRecordCount);
    });
    stub.isThrottling = true;
    for (let device = 0; device < 20; device += 1) await put(`device-${device}`, 'x');
    const report = await clock.run(producer.flush());
    expect(report.failed).toHaveLength(20);
    expect(report.failed.some(({ attempts }) => attempts === 0)).toBe(true);
    expect(expired.reduce((sum, count) => sum + count, 0)).toBe(20);
  });
});

test('a listener that has unsubscribed hears nothing more', async () => {
  const events: ProducerEvent[] = [];
  const { clock, producer, put } = await createHarness({ producer: { lingerMs: 1 } });
  const unsubscribe = producer.metrics.subscribe((event) => events.push(event));
  await put('a', '1');
  await clock.run(producer.flush());
  expect(events).toMatchObject([
    { type: 'request', result: 'answered', recordCount: 1, bytes: 2, failedCount: 0, durationMs: 10 },
  ]);
  unsubscribe();
  await put('a', '2');
  await clock.run(producer.flush());
  expect(events).toHaveLength(1);
});
