import { CodedError } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import type { ProducerEvent } from '../src/metrics.ts';
import { auditStream, CLEAN, eventText } from '../src/testing/stream-audit.ts';
import type { StreamTransport } from '../src/transport.ts';
import { createHarness, DEVICES, firstShard, putRound, textsIn } from './harness.ts';
import { createKinesisStub, type KinesisStub } from './kinesis-stub.ts';

const aggregated = { producer: { aggregate: true, lingerMs: 1 } };

/** A stub that answers the given calls of listShards in its own way; the first call is number 1. */
const listing =
  (
    answer: (
      call: number,
      stub: KinesisStub,
      token: string | undefined,
    ) => ReturnType<StreamTransport['listShards']> | undefined,
  ) =>
  (stub: KinesisStub): StreamTransport => {
    let call = 0;
    return {
      putRecords: stub.putRecords,
      listShards(token, signal) {
        call += 1;
        return answer(call, stub, token) ?? stub.listShards(token, signal);
      },
    };
  };
const failure = (code: string, retryable = true): Promise<never> =>
  Promise.reject(new CodedError(code, 'injected', { retryable }));

test('a shard map is read page by page', async () => {
  const { clock, producer, stub, put } = await createHarness({
    ...aggregated,
    stub: { shardCount: 7, shardsPerPage: 2 },
  });
  expect(stub.counts.listShards).toBe(4);
  for (const device of DEVICES) await put(device, eventText(device, 0));
  await clock.run(producer.flush());
  expect(producer.metrics.snapshot()).toMatchObject({ shardMisses: 0, userRecordsAcknowledged: 40 });
});

test('a shard map is read from the start again when a page token has expired', async () => {
  const tokens: (string | undefined)[] = [];
  const { clock, producer, put } = await createHarness({
    ...aggregated,
    stub: { shardCount: 5, shardsPerPage: 2 },
    wrap: listing((call, _, token) => {
      tokens.push(token);
      return call === 2 ? failure('SHARD_LIST_EXPIRED') : undefined;
    }),
  });
  expect(tokens).toEqual([undefined, '2', undefined, '2', '4']);
  await put('a', 'a#0');
  await clock.run(producer.flush());
});

test('a shard map is read again while it does not hold every hash key, and while the stream does not answer', async () => {
  const { producer, clock, put } = await createHarness({
    ...aggregated,
    wrap: listing((call, stub) => {
      if (call === 1) return failure('STREAM_THROTTLED');
      const halfClosed = stub.shards.map((shard) => ({ ...shard, isOpen: false }));
      return call === 2 ? Promise.resolve({ shards: halfClosed }) : undefined;
    }),
  });
  await put('a', 'a#0');
  await clock.run(producer.flush());
});

test.each([
  ['the stream does not exist', () => failure('STREAM_REJECTED', false), 'STREAM_REJECTED', 1],
  ['it never answers', () => failure('STREAM_UNAVAILABLE'), 'STREAM_UNAVAILABLE', 5],
  ['its tokens always expire', () => failure('SHARD_LIST_EXPIRED', false), 'SHARD_LIST_EXPIRED', 6],
  ['it has no open shard', () => Promise.resolve({ shards: [] }), 'SHARD_MAP_INCOMPLETE', 5],
  [
    'its list does not end',
    () => Promise.resolve({ shards: [], nextToken: 'x' }),
    'STREAM_UNAVAILABLE',
    10_000,
  ],
])('a shard map that cannot be read makes the creation fail: %s', async (_, answer, code, calls) => {
  let called = 0;
  const counted = () => {
    called += 1;
    return answer();
  };
  await expect(createHarness({ wrap: listing(counted) })).rejects.toMatchObject({ code });
  expect(called).toBe(calls);
});

test('a shard map that cannot be refreshed holds what landed elsewhere, is tried repeatedly, and then lets it go on', async () => {
  const events: ProducerEvent[] = [];
  const harness = await createHarness({
    ...aggregated,
    wrap: listing((call) => (call > 1 && call < 6 ? failure('STREAM_UNAVAILABLE') : undefined)),
  });
  const { clock, producer, stub } = harness;
  producer.metrics.subscribe((event) => events.push(event));
  stub.split(firstShard(stub));
  const counts = await putRound(harness, 0);
  await clock.run(producer.flush());
  expect(events.filter(({ type }) => type === 'shard-map-refresh-failed')).toHaveLength(4);
  expect(events.filter(({ type }) => type === 'shard-map-refreshed')).toHaveLength(1);
  expect(auditStream(stub, counts)).toMatchObject(CLEAN);
});

test('a shard map that can never be refreshed lets records expire, with the warning that they may be stored', async () => {
  const harness = await createHarness({
    producer: { ...aggregated.producer, deadlineMs: 2_000 },
    wrap: listing((call) => (call > 1 ? failure('STREAM_UNAVAILABLE') : undefined)),
  });
  const { clock, producer, stub, outcomes } = harness;
  stub.split(firstShard(stub));
  await putRound(harness, 0);
  const report = await clock.run(producer.close());
  expect(report.failed).toHaveLength(40);
  expect(outcomes.every((outcome) => outcome.status === 'failed' && outcome.possiblyStored)).toBe(true);
});

test('a shard map that contradicts the answers of the stream makes no storm of retries', async () => {
  const harness = await createHarness({
    producer: { ...aggregated.producer, deadlineMs: 20_000 },
    // The list never shows the split.
    wrap: (stub) => {
      const before = stub.shards.map((shard) => ({ ...shard }));
      return {
        putRecords: stub.putRecords,
        listShards: async () => ({
          shards: [...before, ...stub.shards.slice(1).map((shard) => ({ ...shard, isOpen: false }))],
        }),
      };
    },
  });
  const { clock, producer, stub, outcomes } = harness;
  stub.split(firstShard(stub));
  await putRound(harness, 0);
  await clock.run(producer.close());
  expect(outcomes).toHaveLength(40);
  expect(stub.counts.requests).toBeLessThan(400);
});

test('the shard map of a stream that was created again under the same name is learned from its answers', async () => {
  let current: KinesisStub | undefined;
  const harness = await createHarness({
    ...aggregated,
    stub: { shardCount: 2 },
    wrap: (stub) => {
      current = stub;
      return {
        putRecords: (records, signal) => (current ?? stub).putRecords(records, signal),
        listShards: (token, signal) => (current ?? stub).listShards(token, signal),
      };
    },
  });
  await putRound(harness, 0);
  await harness.clock.run(harness.producer.flush());
  current = createKinesisStub({ clock: harness.clock, shardCount: 3, latencyMs: [5, 5] });
  await putRound(harness, 1);
  await harness.clock.run(harness.producer.flush());
  await putRound(harness, 2);
  await harness.clock.run(harness.producer.flush());
  expect(harness.texts('failed')).toEqual([]);
  const texts = current.records.flatMap(({ data }) => textsIn(data));
  for (const device of DEVICES) expect(texts).toContain(eventText(device, 2));
});
