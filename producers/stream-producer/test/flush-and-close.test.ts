import { expect, test } from 'vitest';
import { createHarness, storedTexts, textOf } from './harness.ts';

test('a flush resolves when everything put before has its outcome, without lingering', async () => {
  const { clock, producer, put, texts } = await createHarness({ producer: { lingerMs: 60_000 } });
  await put('a', '1');
  await put('b', '2');
  const startMs = clock.now();
  const report = await clock.run(producer.flush());
  expect(texts('acknowledged').toSorted()).toEqual(['1', '2']);
  expect(report).toEqual({ acknowledgedCount: 2, failedCount: 0, failed: [] });
  expect(clock.now() - startMs).toBe(10);
});

test('a flush of nothing resolves immediately', async () => {
  const { clock, producer } = await createHarness();
  const startMs = clock.now();
  await clock.run(producer.flush());
  expect(clock.now()).toBe(startMs);
});

test('a flush does not wait for what is put after it', async () => {
  const { clock, producer, put, texts, stub } = await createHarness({ producer: { lingerMs: 1 } });
  await put('a', 'before');
  const flushed = producer.flush();
  await clock.advance(7);
  stub.isThrottling = true;
  await put('b', 'after');
  await clock.run(flushed);
  expect(texts('acknowledged')).toEqual(['before']);
  stub.isThrottling = false;
  await clock.run(producer.close());
  expect(texts('acknowledged').toSorted()).toEqual(['after', 'before']);
});

test('a flush waits for calls of put that wait for buffer capacity', async () => {
  const { clock, producer, put, stub } = await createHarness({
    producer: { recordBytesMax: 1_024, bufferBytesMax: 1_536 },
  });
  const waits = ['a', 'b', 'c'].map((text) => put('d', text.repeat(1_000)));
  await clock.run(producer.flush());
  expect(storedTexts(stub).map((text) => text[0])).toEqual(['a', 'b', 'c']);
  await Promise.all(waits);
});

test('a report holds what failed while the flush ran, and what failed before without a callback, once', async () => {
  const { clock, producer, put, stub } = await createHarness({ producer: { lingerMs: 1, deadlineMs: 100 } });
  stub.isThrottling = true;
  await put('a', 'with a callback, before');
  producer.put({ partitionKey: 'b', data: Buffer.from('without a callback, before') });
  await clock.advance(10_000);
  await put('c', 'with a callback, during');
  const report = await clock.run(producer.flush());
  expect(report.failed.map(({ record }) => textOf(record.data))).toEqual([
    'without a callback, before',
    'with a callback, during',
  ]);
  expect(report.failedCount).toBe(3);
  expect((await clock.run(producer.flush())).failed).toEqual([]);
});

test('close sends what is left, and closes the transport once', async () => {
  let closed = 0;
  const { clock, producer, put, texts } = await createHarness({
    producer: { lingerMs: 60_000 },
    wrap: (stub) => ({
      putRecords: stub.putRecords,
      listShards: stub.listShards,
      close() {
        closed += 1;
      },
    }),
  });
  await put('a', '1');
  const first = producer.close();
  const second = producer.close();
  expect(await clock.run(first)).toBe(await second);
  expect(texts('acknowledged')).toEqual(['1']);
  expect(closed).toBe(1);
});

test('after close nothing sleeps any more', async () => {
  const { clock, producer, put } = await createHarness();
  await put('a', '1');
  await clock.run(producer.close());
  const closedMs = clock.now();
  const never = new Promise(() => undefined);
  await expect(clock.run(never)).rejects.toThrow('nothing sleeps');
  expect(clock.now()).toBe(closedMs);
});

test('an idle producer does not keep the clock busy', async () => {
  const { clock, producer, put } = await createHarness();
  await put('a', '1');
  await clock.run(producer.flush());
  await clock.advance(2_000);
  await expect(clock.run(new Promise(() => undefined))).rejects.toThrow('nothing sleeps');
});

test('an aborted close returns every record immediately, and says which may be stored', async () => {
  const abort = new AbortController();
  const { clock, producer, put, outcomes } = await createHarness({ producer: { lingerMs: 1 } });
  await put('a', 'on its way');
  await clock.advance(3);
  await put('a', 'after it');
  const closed = producer.close(abort.signal);
  abort.abort();
  const report = await clock.run(closed);
  expect(report.failed.map(({ record, ...rest }) => ({ ...rest, text: textOf(record.data) }))).toEqual([
    expect.objectContaining({ text: 'on its way', attempts: 1, possiblyStored: true }),
    expect.objectContaining({ text: 'after it', attempts: 0, possiblyStored: false }),
  ]);
  expect(report.failed.every(({ reason }) => reason.code === 'PRODUCER_ABORTED')).toBe(true);
  expect(outcomes).toHaveLength(2);
  expect(producer.metrics.snapshot()).toMatchObject({ userRecordsPending: 0, bufferedBytes: 0 });
});

test('an aborted close refuses the calls of put that wait', async () => {
  const { clock, producer, put } = await createHarness({
    producer: { recordBytesMax: 1_024, bufferBytesMax: 1_536 },
  });
  await put('d', 'a'.repeat(1_000));
  const waiting = put('d', 'b'.repeat(1_000));
  const refused = expect(waiting).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' });
  const report = await clock.run(producer.close(AbortSignal.abort()));
  await refused;
  expect(report.failed).toHaveLength(1);
});
