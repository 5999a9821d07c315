import { describe, expect, test } from 'vitest';
import { RECORD_BOOKKEEPING_BYTES, WAITING_PUTS_MAX } from '../src/buffer-capacity.ts';
import type { UserRecord } from '../src/index.ts';
import { createHarness, storedTexts } from './harness.ts';

const record = (bytes: number, partitionKey = 'd'): UserRecord => ({
  partitionKey,
  data: new Uint8Array(bytes),
});
const MIB = 1_048_576;

test('put returns no promise while the buffer has capacity', async () => {
  const { producer } = await createHarness();
  expect(producer.put(record(10))).toBeUndefined();
});

test('the outcome carries the very object that was put, and where it is', async () => {
  const { clock, producer, stub } = await createHarness();
  const own = { ...record(3), line: 17 };
  const outcomes: unknown[] = [];
  producer.put(own, (outcome) => outcomes.push(outcome));
  expect(outcomes).toEqual([]);
  await clock.run(producer.flush());
  const { shardId, sequenceNumber } = stub.records[0] ?? {};
  expect(outcomes).toEqual([
    {
      status: 'acknowledged',
      record: own,
      position: { shardId, sequenceNumber, subSequenceNumber: 0 },
      attempts: 1,
    },
  ]);
  expect(outcomes[0]).toHaveProperty(
    'record',
    expect.toSatisfy((given) => given === own),
  );
});

describe('a full buffer', () => {
  const options = { producer: { recordBytesMax: 1_024, bufferBytesMax: 1_536, lingerMs: 10 } };

  test('makes put wait until something is acknowledged, and the bound is kept', async () => {
    const { clock, producer } = await createHarness(options);
    expect(producer.put(record(1_000))).toBeUndefined();
    const wait = producer.put(record(1_000, 'e'));
    expect(wait).toBeInstanceOf(Promise);
    expect(producer.metrics.snapshot()).toMatchObject({
      userRecordsPut: 1,
      putsWaiting: 1,
      bufferedBytes: 1_001 + RECORD_BOOKKEEPING_BYTES,
    });
    await clock.run(Promise.resolve(wait));
    expect(producer.metrics.snapshot()).toMatchObject({
      userRecordsPut: 2,
      userRecordsAcknowledged: 1,
      putsWaiting: 0,
    });
  });

  test('serves waiting calls in FIFO order, even when a later record would fit', async () => {
    const { clock, producer, put, stub } = await createHarness(options);
    const waits = [put('d', 'a'.repeat(1_000)), put('d', 'b'.repeat(1_000)), put('d', 'c')];
    expect(producer.metrics.snapshot().putsWaiting).toBe(2);
    await clock.run(Promise.all(waits).then(() => producer.flush()));
    expect(storedTexts(stub).map((text) => text[0])).toEqual(['a', 'b', 'c']);
  });

  test('refuses a caller that never waits, and what it accepted before is sent', async () => {
    const { clock, producer } = await createHarness(options);
    const waits = Array.from({ length: WAITING_PUTS_MAX + 1 }, () =>
      Promise.resolve(producer.put(record(1_000))),
    );
    await expect(Promise.resolve(producer.put(record(1)))).rejects.toMatchObject({
      code: 'TOO_MANY_WAITING_PUTS',
      retryable: true,
    });
    const closed = producer.close(AbortSignal.abort());
    const results = await clock.run(Promise.allSettled(waits));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await clock.run(closed);
  });
});

describe('what put refuses', () => {
  test.each([
    ['an empty partition key', { ...record(1), partitionKey: '' }, 'INVALID_PARTITION_KEY'],
    [
      '257 characters of partition key',
      { ...record(1), partitionKey: 'k'.repeat(257) },
      'INVALID_PARTITION_KEY',
    ],
    ['half a surrogate pair as a key', { ...record(1), partitionKey: 'a\ud800' }, 'INVALID_PARTITION_KEY'],
    [
      'an explicit hash key of 2^128',
      { ...record(1), explicitHashKey: String(2n ** 128n) },
      'INVALID_EXPLICIT_HASH_KEY',
    ],
    [
      'an explicit hash key that is not a number',
      { ...record(1), explicitHashKey: 'x' },
      'INVALID_EXPLICIT_HASH_KEY',
    ],
    ['one byte more than 1 MiB, data and key', record(MIB), 'RECORD_TOO_LARGE'],
  ])('%s', async (_, bad, code) => {
    const { producer } = await createHarness();
    await expect(Promise.resolve(producer.put(bad))).rejects.toMatchObject({ code, retryable: false });
    expect(producer.metrics.snapshot()).toMatchObject({ userRecordsPut: 0, bufferedBytes: 0 });
  });

  test('256 characters that are 512 UTF-16 units are a partition key', async () => {
    const { producer } = await createHarness();
    expect(producer.put(record(1, '🚌'.repeat(256)))).toBeUndefined();
  });

  test.each([false, true])(
    'the largest record is sent, and one byte more is refused (aggregate: %s)',
    async (aggregate) => {
      const { clock, producer, stub } = await createHarness({
        producer: { aggregate, bufferBytesMax: 4 * MIB },
      });
      let bytes = MIB - 1;
      const isRefused = async (): Promise<boolean> =>
        Promise.resolve(producer.put(record(bytes))).then(
          () => false,
          () => true,
        );
      while (await isRefused()) bytes -= 1;
      await clock.run(producer.flush());
      const [stored] = stub.records;
      if (stored === undefined) throw new Error('nothing stored');
      expect(stored.data.length + Buffer.byteLength(stored.partitionKey)).toBe(MIB);
      expect(MIB - bytes).toBeLessThan(64);
    },
  );

  test('anything after close', async () => {
    const { clock, producer } = await createHarness();
    await clock.run(producer.close());
    await expect(Promise.resolve(producer.put(record(1)))).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' });
  });

  test('more, while failures that no callback took fill the buffer again; flush hands them over', async () => {
    const { clock, producer, stub } = await createHarness({
      producer: { recordBytesMax: 1_024, bufferBytesMax: 3_072, lingerMs: 1, deadlineMs: 50 },
    });
    stub.isThrottling = true;
    for (let index = 0; index < 2; index += 1) producer.put(record(1_023));
    await clock.advance(5_000);
    expect(producer.metrics.snapshot()).toMatchObject({ userRecordsFailed: 2, bufferedBytes: 0 });
    await expect(Promise.resolve(producer.put(record(1)))).rejects.toMatchObject({
      code: 'UNCLAIMED_FAILURES',
      retryable: true,
    });
    const { failed } = await clock.run(producer.flush());
    expect(failed).toHaveLength(2);
    expect(producer.put(record(1))).toBeUndefined();
  });
});

test('a callback may put again', async () => {
  const { clock, producer, stub } = await createHarness({ producer: { lingerMs: 1 } });
  let left = 5;
  const again = (): void => {
    left -= 1;
    if (left > 0) producer.put(record(left), again);
  };
  producer.put(record(5), again);
  await clock.advance(1_000);
  expect(stub.records.map(({ data }) => data.length)).toEqual([5, 4, 3, 2, 1]);
});
