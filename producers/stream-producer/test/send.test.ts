import { describe, expect, test } from 'vitest';
import {
  FAILURE_CODES,
  ProducerError,
  PUT_ERROR_CODES,
  RecordsFailedError,
  SendError,
} from '../src/index.ts';
import { createHarness, storedTexts } from './harness.ts';

const recordOf = (text: string, partitionKey = 'd') => ({ partitionKey, data: Buffer.from(text) });
const failing = { producer: { lingerMs: 1, deadlineMs: 100 } };

describe('send', () => {
  test('resolves with the acknowledgement, the very record and its place', async () => {
    const { clock, producer, stub } = await createHarness();
    const record = recordOf('1');
    const acknowledged = await clock.run(producer.send(record));
    expect(acknowledged.record).toBe(record);
    const { shardId, sequenceNumber } = stub.records[0] ?? {};
    expect(acknowledged).toMatchObject({ attempts: 1, position: { shardId, sequenceNumber } });
  });

  test('keeps the order of its calls, without awaiting in between', async () => {
    const { clock, producer, stub } = await createHarness();
    const texts = Array.from({ length: 20 }, (_, index) => String(index));
    await clock.run(Promise.all(texts.map((text) => producer.send(recordOf(text)))));
    expect(storedTexts(stub)).toEqual(texts);
  });

  test('rejects a record that cannot be put, as never sent', async () => {
    const { clock, producer } = await createHarness();
    const sent = producer.send(recordOf('1', ''));
    await expect(sent).rejects.toBeInstanceOf(SendError);
    await expect(sent).rejects.toMatchObject({
      code: 'INVALID_PARTITION_KEY',
      retryable: false,
      cause: expect.objectContaining({ code: 'INVALID_PARTITION_KEY' }),
      attempts: 0,
      possiblyStored: false,
    });
    await clock.run(producer.close());
    await expect(producer.send(recordOf('2'))).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' });
  });

  test('rejects with why a record failed, how often it was sent and whether it may be stored', async () => {
    const { clock, producer, stub } = await createHarness(failing);
    stub.isThrottling = true;
    const sent = producer.send(recordOf('1'));
    const refused = expect(sent).rejects.toMatchObject({
      code: 'EVENT_EXPIRED',
      retryable: true,
      attempts: expect.toSatisfy((attempts) => attempts > 0),
      possiblyStored: false,
      cause: expect.objectContaining({ code: 'EVENT_EXPIRED' }),
    });
    await clock.advance(10_000);
    await refused;
    // The caller has it: no report hands it back again.
    expect((await clock.run(producer.flush())).failed).toEqual([]);
  });

  test('waits for capacity in the order of calls, and counts an aborted close as its end', async () => {
    const { clock, producer } = await createHarness({
      producer: { recordBytesMax: 1_024, bufferBytesMax: 1_536 },
    });
    const first = producer.send(recordOf('a'.repeat(1_000)));
    const second = producer.send(recordOf('b'.repeat(1_000)));
    const refused = Promise.all([
      expect(first).rejects.toMatchObject({ code: 'PRODUCER_ABORTED' }),
      expect(second).rejects.toMatchObject({ code: 'PRODUCER_CLOSED', attempts: 0 }),
    ]);
    await clock.run(producer.close(AbortSignal.abort()));
    await refused;
  });

  test('puts nothing when its signal is aborted already', async () => {
    const { producer } = await createHarness();
    const reason = new Error('no time');
    const sent = producer.send(recordOf('1'), { signal: AbortSignal.abort(reason) });
    await expect(sent).rejects.toMatchObject({
      code: 'SEND_ABORTED',
      attempts: 0,
      possiblyStored: false,
      cause: reason,
    });
    expect(producer.metrics.snapshot().userRecordsPut).toBe(0);
  });

  test('stops waiting when its signal is aborted, and the record is sent all the same', async () => {
    const { clock, producer, stub } = await createHarness();
    const abort = new AbortController();
    const sent = producer.send(recordOf('1'), { signal: abort.signal });
    abort.abort();
    await expect(sent).rejects.toMatchObject({ code: 'SEND_ABORTED', possiblyStored: true });
    await clock.run(producer.flush());
    expect(storedTexts(stub)).toEqual(['1']);
  });
});

describe('leaving an await using block', () => {
  test('sends what is left', async () => {
    const { clock, producer, put, texts } = await createHarness({ producer: { lingerMs: 60_000 } });
    await put('a', '1');
    await clock.run(producer[Symbol.asyncDispose]());
    expect(texts('acknowledged')).toEqual(['1']);
  });

  test('rejects with the report when records failed that nobody was told of', async () => {
    const { clock, producer, stub } = await createHarness(failing);
    stub.isThrottling = true;
    await producer.put(recordOf('1'));
    const disposed = producer[Symbol.asyncDispose]();
    const refused = expect(disposed).rejects.toSatisfy(
      (error) => error instanceof RecordsFailedError && error.report.failed.length === 1,
    );
    await clock.advance(10_000);
    await refused;
  });

  test('leaves the report of an earlier close to its caller', async () => {
    const { clock, producer, stub } = await createHarness(failing);
    stub.isThrottling = true;
    await producer.put(recordOf('1'));
    const closed = producer.close();
    const disposed = producer[Symbol.asyncDispose]();
    await clock.advance(10_000);
    expect((await closed).failed).toHaveLength(1);
    await disposed;
  });
});

test('the errors of a producer have a code of their list', async () => {
  const { clock, producer, stub, outcomes, put } = await createHarness(failing);
  const refusal: unknown = await Promise.resolve(producer.put(recordOf('1', ''))).catch((error) => error);
  expect(refusal).toBeInstanceOf(ProducerError);
  expect(PUT_ERROR_CODES).toContain(refusal instanceof ProducerError && refusal.code);
  stub.isThrottling = true;
  await put('a', '1');
  await clock.advance(10_000);
  expect(outcomes.map((outcome) => outcome.status === 'failed' && outcome.reason.code)).toEqual([
    FAILURE_CODES[0],
  ]);
});
