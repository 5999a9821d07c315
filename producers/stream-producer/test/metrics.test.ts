import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CodedError } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import {
  createMetricsRecorder,
  DIAGNOSTICS_CHANNELS,
  type ProducerEvent,
  retryCount,
} from '../src/metrics.ts';
import type { StreamTransport } from '../src/transport.ts';
import { createHarness } from './harness.ts';
import { type KinesisStub, NO_FAULTS } from './kinesis-stub.ts';

/** Fails the first request with this error. */
const failingOnce =
  (error: Error) =>
  (stub: KinesisStub): StreamTransport => {
    let isFirst = true;
    return {
      listShards: stub.listShards,
      putRecords: (records, signal) => {
        if (!isFirst) return stub.putRecords(records, signal);
        isFirst = false;
        return Promise.reject(error);
      },
    };
  };

test.each([
  ['STREAM_THROTTLED', true, 'throttled', { requestsThrottled: 1 }],
  ['STREAM_UNAVAILABLE', true, 'unanswered', { requestsUnanswered: 1 }],
  ['REQUEST_INVALID', false, 'refused', { requestsRefused: 1 }],
  ['STREAM_REJECTED', false, 'refused', { requestsRefused: 1 }],
  ['SOMETHING_ELSE', true, 'unanswered', { requestsUnanswered: 1 }],
] as const)(
  'a request that fails with %s is told and counted as a whole',
  async (code, retryable, result, counts) => {
    const events: ProducerEvent[] = [];
    const { clock, producer, put } = await createHarness({
      wrap: failingOnce(new CodedError(code, 'injected', { retryable })),
    });
    producer.metrics.subscribe((event) => events.push(event));
    for (const device of ['a', 'b']) await put(device, 'x');
    await clock.run(producer.flush());
    expect(events.find(({ type }) => type === 'request')).toEqual({
      type: 'request',
      result,
      recordCount: 2,
      bytes: 4,
      failedCount: 2,
      durationMs: 0,
    });
    expect(producer.metrics.snapshot()).toMatchObject(counts);
  },
);

test('each event is on the diagnostics channel of its type, with the name of the stream', async () => {
  const messages: unknown[] = [];
  const listen = (message: unknown, name: string | symbol) => messages.push({ name, message });
  const { clock, producer, put } = await createHarness({
    wrap: (stub) => ({
      ...failingOnce(new CodedError('STREAM_THROTTLED', 'injected', { retryable: true }))(stub),
      streamName: 'devices',
    }),
  });
  const events: ProducerEvent[] = [];
  producer.metrics.subscribe((event) => events.push(event));
  for (const name of Object.values(DIAGNOSTICS_CHANNELS)) subscribe(name, listen);
  await put('a', 'x');
  await clock.run(producer.flush());
  for (const name of Object.values(DIAGNOSTICS_CHANNELS)) unsubscribe(name, listen);
  expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['request', 'retry']));
  expect(messages).toEqual(
    events.map((event) => ({
      name: `twinstream:stream-producer:${event.type}`,
      message: { ...event, streamName: 'devices' },
    })),
  );
});

test('of an answered request the records that failed are counted, by their cause', async () => {
  const events: ProducerEvent[] = [];
  let isFirst = true;
  const { clock, producer, put } = await createHarness({
    wrap: (stub) => ({
      listShards: stub.listShards,
      putRecords: async (records, signal) => {
        const answers = await stub.putRecords(records, signal);
        if (!isFirst) return answers;
        isFirst = false;
        const codes = ['InternalFailure', 'ProvisionedThroughputExceededException'];
        return answers.map((answer, index) => {
          const errorCode = codes[index];
          return errorCode === undefined ? answer : { status: 'rejected', errorCode, message: 'injected' };
        });
      },
    }),
  });
  producer.metrics.subscribe((event) => events.push(event));
  for (const device of ['a', 'b', 'c']) await put(device, 'xx');
  await clock.run(producer.flush());
  expect(events.find(({ type }) => type === 'request')).toMatchObject({ result: 'answered', failedCount: 2 });
  expect(events.filter(({ type }) => type === 'retry')).toEqual(
    ['rejected', 'throttled'].map((reason) =>
      expect.objectContaining({ type: 'retry', reason, userRecordCount: 1, delayMs: expect.any(Number) }),
    ),
  );
  const snapshot = producer.metrics.snapshot();
  expect(snapshot).toMatchObject({
    userRecordsPut: 3,
    userRecordsAcknowledged: 3,
    userRecordsSent: 5,
    recordsSent: 5,
    recordsAcknowledged: 3,
    recordsThrottled: 1,
    recordsRejected: 1,
    bytesSent: 15,
    bytesAcknowledged: 9,
    shardMisses: 0,
    retries: { throttled: 1, rejected: 1, unanswered: 0, 'wrong-shard': 0, isolated: 0 },
  });
  expect(retryCount(snapshot)).toBe(2);
});

test('times are summed up from put: to the first send, and to the acknowledgement', async () => {
  const { clock, producer, put, stub } = await createHarness({ producer: { lingerMs: 50 } });
  await put('a', '1');
  await clock.advance(20);
  await put('b', '2');
  await clock.advance(1_000);
  const { bufferingTime, acknowledgementTime } = producer.metrics.snapshot();
  expect(bufferingTime).toEqual({ count: 2, totalMs: 80, maxMs: 50 });
  expect(acknowledgementTime).toEqual({ count: 2, totalMs: 100, maxMs: 60 });
  stub.faults = { ...NO_FAULTS, answerLost: 1 };
  await put('a', '3');
  await clock.advance(60);
  stub.faults = NO_FAULTS;
  await clock.run(producer.flush());
  const later = producer.metrics.snapshot();
  expect(later.bufferingTime).toEqual({ count: 3, totalMs: 130, maxMs: 50 });
  expect(later.acknowledgementTime.count).toBe(3);
  expect(later.acknowledgementTime.maxMs).toBeGreaterThan(60);
});

test('a snapshot stays as it was when it was taken', () => {
  const gauges = { userRecordsPending: 0, bufferedBytes: 1, putsWaiting: 2, requestsInFlight: 3 };
  const recorder = createMetricsRecorder(() => gauges);
  const before = recorder.metrics.snapshot();
  recorder.counts.retries.throttled += 1;
  recorder.counts.bufferingTime.count += 1;
  recorder.counts.acknowledgementTime.count += 1;
  recorder.counts.userRecordsPut += 1;
  expect(before).toMatchObject({
    ...gauges,
    userRecordsPut: 0,
    retries: { throttled: 0 },
    bufferingTime: { count: 0, totalMs: 0, maxMs: 0 },
    acknowledgementTime: { count: 0 },
  });
});
