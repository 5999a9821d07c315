import { CodedError } from '@twinstream/runtime';
import { contains, decodeRecord, hashKey, type ShardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import {
  AGGREGATE_LANES_PER_SHARD,
  aggregateLaneIndex,
  aggregateLaneKey,
  type ProducerEvent,
  type StreamTransport,
} from '../src/index.ts';
import { auditStream, CLEAN, eventText } from '../src/testing/stream-audit.ts';
import { createHarness, type Harness, textOf } from './harness.ts';
import { type KinesisStub, NO_FAULTS } from './kinesis-stub.ts';

const DEVICES = Array.from({ length: 40 }, (_, index) => `device-${index}`);
const aggregated = { producer: { aggregate: true, lingerMs: 1 } };

/** Puts the next event of every device, and gives how many each has now. */
async function putRound({ put }: Harness, round: number): Promise<ReadonlyMap<string, number>> {
  for (const device of DEVICES) await put(device, eventText(device, round));
  return new Map(DEVICES.map((device) => [device, round + 1]));
}

function firstShard(stub: KinesisStub): ShardId {
  const [shard] = stub.openShards();
  if (shard === undefined) throw new Error('no shard');
  return shard.shardId;
}

test('the outer key names the lane of the device, with a hash key inside its shard, also for a single event', async () => {
  const harness = await createHarness({ ...aggregated, stub: { shardCount: 3 } });
  await harness.put('device-1', 'alone');
  await harness.clock.run(harness.producer.flush());
  await putRound(harness, 0);
  await harness.clock.run(harness.producer.flush());
  for (const record of harness.stub.records) {
    const decoded = decodeRecord(record.data);
    if (decoded.status !== 'aggregated') throw new Error(decoded.status);
    const range = harness.stub.shards.find((shard) => shard.shardId === record.shardId)?.hashKeyRange;
    for (const { partitionKey } of decoded.records) {
      expect(record.partitionKey).toBe(aggregateLaneKey(aggregateLaneIndex(partitionKey)));
      expect(range !== undefined && contains(range, hashKey(partitionKey))).toBe(true);
      expect(range !== undefined && contains(range, BigInt(record.explicitHashKey ?? -1))).toBe(true);
    }
  }
});

test('devices spread over all lanes', () => {
  const lanes = new Map<number, number>();
  for (let index = 0; index < 16_000; index += 1) {
    const lane = aggregateLaneIndex(`device-${index}`);
    lanes.set(lane, (lanes.get(lane) ?? 0) + 1);
  }
  expect(lanes.size).toBe(AGGREGATE_LANES_PER_SHARD);
  for (const count of lanes.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test('what an aggregate carried into the wrong child of a split is sent again to the right one, and only that', async () => {
  const harness = await createHarness(aggregated);
  const { clock, producer, stub, outcomes } = harness;
  await putRound(harness, 0);
  stub.split(firstShard(stub));
  await clock.run(producer.flush());
  const counts = await putRound(harness, 1);
  await clock.run(producer.flush());
  expect(auditStream(stub, counts)).toMatchObject({ ...CLEAN, distinctCount: 80 });
  const { shardMisses, shardMapRefreshes, retries } = producer.metrics.snapshot();
  expect(shardMisses).toBeGreaterThan(0);
  expect(shardMapRefreshes).toBe(1);
  const right = stub.openShards()[1];
  const moved = DEVICES.filter((device) => right && contains(right.hashKeyRange, hashKey(device)));
  expect(moved.length).toBeGreaterThan(0);
  expect(retries).toMatchObject({ 'wrong-shard': moved.length, unanswered: 0 });
  expect(auditStream(stub, counts).copyCount).toBe(80 + moved.length);
  for (const { record, attempts } of outcomes.slice(0, 40)) {
    expect(attempts).toBe(moved.includes(record.partitionKey) ? 2 : 1);
  }
});

test('without aggregation the stream routes by itself: a wrong prediction costs a refresh and no retry', async () => {
  const harness = await createHarness({ producer: { lingerMs: 1 } });
  const { clock, producer, stub } = harness;
  await putRound(harness, 0);
  stub.split(firstShard(stub));
  await clock.run(producer.flush());
  await clock.pass(100);
  const counts = await putRound(harness, 1);
  await clock.run(producer.flush());
  expect(auditStream(stub, counts)).toMatchObject({ ...CLEAN, copyCount: 80 });
  expect(producer.metrics.snapshot()).toMatchObject({
    shardMisses: 40,
    shardMapRefreshes: 1,
    recordsSent: 80,
  });
});

test('a device moves only when its old lane has nothing unacknowledged: the new lane waits for an answer that was lost', async () => {
  let release: (() => void) | undefined;
  const seen: string[][] = [];
  const harness = await createHarness({
    producer: { aggregate: true, lingerMs: 1, requestTimeoutMs: 60_000 },
    // The first request is stored and its answer does not come until it is released.
    wrap: (stub) => ({
      listShards: stub.listShards,
      async putRecords(records, signal) {
        seen.push(records.flatMap(({ data }) => textsIn(data)));
        const answers = await stub.putRecords(records, signal);
        if (seen.length === 1) {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          throw new CodedError('STREAM_UNAVAILABLE', 'lost', { retryable: true });
        }
        return answers;
      },
    }),
  });
  const { clock, producer, put, stub } = harness;
  const [device, other] = devicesInTwoLanesOfOneHalf();
  await put(device, eventText(device, 0));
  await clock.pass(20);
  stub.split(firstShard(stub));
  // The other lane finds the split out, and the map is refreshed while the first answer is still open.
  await put(other, eventText(other, 0));
  await clock.pass(100);
  expect(producer.metrics.snapshot().shardMapRefreshes).toBe(1);
  await put(device, eventText(device, 1));
  await put(other, eventText(other, 1));
  await clock.pass(1_000);
  expect(seen.slice(1).flat()).not.toContain(eventText(device, 1));
  expect(seen.slice(1).flat()).toContain(eventText(other, 1));
  release?.();
  await clock.run(producer.flush());
  const counts = new Map([device, other].map((each) => [each, 2]));
  expect(auditStream(stub, counts)).toMatchObject(CLEAN);
});

test('a lane hands on across two reshards what was on its way during both', async () => {
  const harness = await createHarness(aggregated);
  const { clock, producer, stub } = harness;
  stub.faults = { ...NO_FAULTS, answerLost: 1 };
  await putRound(harness, 0);
  await clock.pass(7);
  stub.split(firstShard(stub));
  const [left, right] = stub.openShards();
  if (left === undefined || right === undefined) throw new Error('two shards');
  stub.split(left.shardId);
  stub.split(right.shardId);
  await putRound(harness, 1);
  await clock.pass(300);
  stub.faults = NO_FAULTS;
  const counts = await putRound(harness, 2);
  await clock.run(producer.flush());
  expect(auditStream(stub, counts)).toMatchObject({ ...CLEAN, distinctCount: 120 });
  expect(producer.metrics.snapshot()).toMatchObject({ userRecordsAcknowledged: 120, bufferedBytes: 0 });
});

describe('the shard map', () => {
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

  test('is read page by page', async () => {
    const { clock, producer, stub, put } = await createHarness({
      ...aggregated,
      stub: { shardCount: 7, shardsPerPage: 2 },
    });
    expect(stub.counts.listShards).toBe(4);
    for (const device of DEVICES) await put(device, eventText(device, 0));
    await clock.run(producer.flush());
    expect(producer.metrics.snapshot()).toMatchObject({ shardMisses: 0, userRecordsAcknowledged: 40 });
  });

  test('is read from the start again when a page token has expired', async () => {
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

  test('is read again while it does not hold every hash key, and while the stream does not answer', async () => {
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
    ['the stream does not exist', () => failure('STREAM_REJECTED', false), 'STREAM_REJECTED'],
    ['it never answers', () => failure('STREAM_UNAVAILABLE'), 'STREAM_UNAVAILABLE'],
    ['its tokens always expire', () => failure('SHARD_LIST_EXPIRED'), 'SHARD_LIST_EXPIRED'],
    ['it has no open shard', () => Promise.resolve({ shards: [] }), 'SHARD_MAP_INCOMPLETE'],
  ])('makes the creation fail when %s', async (_, answer, code) => {
    await expect(createHarness({ wrap: listing(answer) })).rejects.toMatchObject({ code });
  });

  test('that cannot be refreshed holds what landed elsewhere, is tried again and again, and then lets it go on', async () => {
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

  test('that can never be refreshed lets records expire, with the warning that they may be stored', async () => {
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

  test('that contradicts the answers of the stream makes no storm of retries', async () => {
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

  test('of a stream that was made anew under the same name is learned from its answers', async () => {
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
    const { createKinesisStub } = await import('./kinesis-stub.ts');
    current = createKinesisStub({ clock: harness.clock, shardCount: 3, latencyMs: [5, 5] });
    await putRound(harness, 1);
    await harness.clock.run(harness.producer.flush());
    await putRound(harness, 2);
    await harness.clock.run(harness.producer.flush());
    expect(harness.texts('failed')).toEqual([]);
    const texts = current.records.flatMap(({ data }) => textsIn(data));
    for (const device of DEVICES) expect(texts).toContain(eventText(device, 2));
  });
});

function textsIn(data: Uint8Array): string[] {
  const decoded = decodeRecord(data);
  return decoded.status === 'aggregated'
    ? decoded.records.map((entry) => textOf(entry.data))
    : [textOf(data)];
}

/** Two devices in the lower half of the hash keys that are in different lanes. */
function devicesInTwoLanesOfOneHalf(): readonly [string, string] {
  const low = DEVICES.filter((device) => hashKey(device) < 2n ** 127n);
  const [device] = low;
  const other = low.find(
    (each) => device !== undefined && aggregateLaneIndex(each) !== aggregateLaneIndex(device),
  );
  if (device === undefined || other === undefined) throw new Error('no such devices');
  return [device, other];
}

test('an explicit hash key decides the shard, keeps its lane, and travels with the record', async () => {
  const harness = await createHarness({ ...aggregated, stub: { shardCount: 4 } });
  const { clock, producer, stub } = harness;
  const last = stub.openShards().at(-1);
  if (last === undefined) throw new Error('no shard');
  const explicitHashKey = String(last.hashKeyRange.start + 1n);
  const put = (text: string): void => {
    producer.put({ partitionKey: 'device-1', data: Buffer.from(text), explicitHashKey });
  };
  put('before');
  await clock.run(producer.flush());
  stub.split(last.shardId);
  put('after');
  await clock.run(producer.flush());
  const carried = stub.records.map((record) => ({
    shardId: record.shardId,
    decoded: decodeRecord(record.data),
    outer: record.partitionKey,
  }));
  for (const { decoded, outer } of carried) {
    expect(outer).toBe(aggregateLaneKey(aggregateLaneIndex('device-1')));
    expect(decoded).toMatchObject({
      status: 'aggregated',
      records: [{ partitionKey: 'device-1', explicitHashKey }],
    });
  }
  expect(carried.map(({ shardId }) => shardId)).toEqual([last.shardId, stub.openShards().at(-2)?.shardId]);
});
