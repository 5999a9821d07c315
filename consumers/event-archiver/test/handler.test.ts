import { ARCHIVER_OPTIONS, type ArchiverOptions, createArchiver } from '@twinstream/event-archiver';
import { CodedError, createLogger } from '@twinstream/runtime';
import { encodeAggregate } from '@twinstream/stream-model';
import { type LambdaRecordSource, lambdaBatch, lambdaContext } from '@twinstream/stream-model/testing';
import { virtualClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { type Step, scriptedDeliveryStream } from './scripted-delivery-stream.ts';

const SECRET = 'payload-of-the-device';
const source = (
  number: number | string,
  data: string | Uint8Array = `{"data":"${SECRET}"}\n`,
): LambdaRecordSource => ({
  sequenceNumber: `${number}`,
  partitionKey: 'bus-1',
  data,
  arrivalTime: Date.parse('2026-11-23T05:00:00.007Z'),
});
const onePack: ArchiverOptions = {
  ...ARCHIVER_OPTIONS,
  packLimits: { lineBytesMax: 4_096, packBytesMax: 1 },
};

async function archive(
  records: readonly LambdaRecordSource[],
  script: readonly Step[] = [],
  options = ARCHIVER_OPTIONS,
) {
  const log: string[] = [];
  const deliveryStream = scriptedDeliveryStream(script);
  const clock = virtualClock({ startMs: 0 });
  const services = {
    deliveryStream,
    clock,
    random: () => 0.5,
    logger: createLogger('event-archiver', 'info', { write: (line) => log.push(line) }),
  };
  const startedAt = clock.now();
  const context = lambdaContext(() => 60_000 - (clock.now() - startedAt), 'request-1');
  const answer = await clock.run(createArchiver(services, options)(lambdaBatch({ records }), context));
  const numbers = deliveryStream.lines().map((line) => Number(JSON.parse(line).sequenceNumber));
  expect(deliveryStream.open).toBe(0);
  expect(log.length).toBe(1);
  expect(log[0]).not.toContain(SECRET);
  return { answer, numbers, deliveryStream, log: JSON.parse(log[0] ?? ''), elapsedMs: clock.now() };
}

const unfinished = (number: number) => ({ batchItemFailures: [{ itemIdentifier: `${number}` }] });

describe('archiving a batch', () => {
  test('every record has its line, and the batch is acknowledged', async () => {
    const { answer, numbers, log } = await archive([source(1), source(2), source(3, 'no JSON')]);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(numbers).toEqual([1, 2, 3]);
    expect(log).toMatchObject({
      level: 30,
      msg: 'batch archived',
      requestId: 'request-1',
      streamName: 'device-events',
      shardId: 'shardId-000000000000',
      records: 3,
      events: 3,
      base64: 1,
      tooLarge: 0,
      packs: 1,
      requests: 1,
      retried: 0,
      durationMs: 0,
    });
  });

  test('an aggregated record has a line for each of its events', async () => {
    const data = encodeAggregate(
      [1, 2, 3].map((n) => ({ partitionKey: `bus-${n}`, data: Buffer.from(`{"n":${n}}`) })),
    );
    const { deliveryStream, log } = await archive([source(9, data)]);
    expect(deliveryStream.lines().map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        sequenceNumber: '9',
        subSequenceNumber: 0,
        partitionKey: 'bus-1',
        event: { n: 1 },
      }),
      expect.objectContaining({
        sequenceNumber: '9',
        subSequenceNumber: 1,
        partitionKey: 'bus-2',
        event: { n: 2 },
      }),
      expect.objectContaining({
        sequenceNumber: '9',
        subSequenceNumber: 2,
        partitionKey: 'bus-3',
        event: { n: 3 },
      }),
    ]);
    expect(log).toMatchObject({ records: 1, events: 3 });
  });

  test('what is not taken at first is sent again, and the batch is acknowledged', async () => {
    const { answer, numbers, log } = await archive(
      [source(1), source(2), source(3)],
      [
        { reject: (index) => index === 0 },
        { fail: new CodedError('DELIVERY_UNAVAILABLE', 'busy', { retryable: true }) },
      ],
      onePack,
    );
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(numbers).toEqual([2, 3, 1]);
    expect(log).toMatchObject({ requests: 3, retried: 2 });
  });

  test('a record of which one line is missing is unfinished, and everything after it', async () => {
    const aggregate = encodeAggregate(
      [1, 2].map((n) => ({ partitionKey: 'bus', data: Buffer.from(`{"n":${n}}`) })),
    );
    // The first record is one pack, the second one two; the last of the four is never taken.
    const { answer, log } = await archive(
      [source(1), source(2, aggregate), source(3)],
      [{ reject: (index) => index === 2 }, { fail: new CodedError('DELIVERY_REFUSED', 'no rights') }],
      onePack,
    );
    expect(answer).toEqual(unfinished(2));
    expect(log).toMatchObject({ level: 40, msg: 'batch archived in part', unfinishedFrom: '2', packs: 3 });
    expect(log.error).toMatchObject({ code: 'DELIVERY_REFUSED' });
  });

  test('a delivery stream that never answers is left before the invocation ends, its request awaited', async () => {
    const { answer, elapsedMs, log } = await archive([source(1), source(2)], ['hang']);
    expect(answer).toEqual(unfinished(1));
    expect(elapsedMs).toBe(58_000);
    expect(log.error).toMatchObject({ code: 'DEADLINE_NEAR' });
  });

  test('a delivery stream that stays busy is tried until shortly before the invocation ends', async () => {
    const busy: Step = { reject: (index) => index > 0 };
    const { answer, numbers, elapsedMs, deliveryStream } = await archive(
      [source(1), source(2), source(3)],
      [busy, ...Array(1_000).fill({ reject: () => true })],
      onePack,
    );
    expect(answer).toEqual(unfinished(2));
    expect(numbers).toEqual([1]);
    expect(elapsedMs).toBe(58_000);
    expect(deliveryStream.requests.length).toBeGreaterThan(30);
  });

  test('an invocation without time answers without a request', async () => {
    const options = { ...ARCHIVER_OPTIONS, deadlineMarginMs: 60_000 };
    const { answer, deliveryStream } = await archive([source(1)], [], options);
    expect(answer).toEqual(unfinished(1));
    expect(deliveryStream.requests).toEqual([]);
  });

  test('a record out of order is unfinished; those before it are archived', async () => {
    const { answer, numbers, log } = await archive([source(5), source(7), source(6), source(8)]);
    expect(answer).toEqual(unfinished(6));
    expect(numbers).toEqual([5, 7]);
    expect(log).toMatchObject({ level: 40, unfinishedFrom: '6', disorderAt: 2 });
  });

  test('the earlier of a record out of order and one not taken is answered', async () => {
    const refused: Step = { fail: new CodedError('DELIVERY_REFUSED', 'no rights') };
    expect((await archive([source(5), source(7), source(6)], [refused])).answer).toEqual(unfinished(5));
    expect((await archive([source(5), source(7), source(3)], [refused])).answer).toEqual(unfinished(3));
  });

  test('a batch without a line is acknowledged without a request', async () => {
    const { answer, deliveryStream } = await archive([source(1, encodeAggregate([]))]);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(deliveryStream.requests).toEqual([]);
  });
});
