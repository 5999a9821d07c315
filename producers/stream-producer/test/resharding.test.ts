import { CodedError } from '@twinstream/runtime';
import { contains, decodeRecord, hashKey } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { AGGREGATE_LANES_PER_SHARD, aggregateLaneIndex, aggregateLaneKey } from '../src/aggregate-lanes.ts';
import { auditStream, CLEAN, eventText } from '../src/testing/stream-audit.ts';
import { createHarness, DEVICES, firstShard, putRound, textsIn } from './harness.ts';
import { asKclReads } from './kcl-reader.ts';
import { NO_FAULTS } from './kinesis-stub.ts';

const aggregated = { producer: { aggregate: true, lingerMs: 1 } };

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

test.each(['divide', 'resend'] as const)(
  'a reader that drops mixed aggregates as a whole gets each record once where all of them are sent again (%s)',
  async (mixedAggregates) => {
    const harness = await createHarness({ producer: { ...aggregated.producer, mixedAggregates } });
    const { clock, producer, stub } = harness;
    await putRound(harness, 0);
    stub.split(firstShard(stub));
    await clock.run(producer.flush());
    const counts = await putRound(harness, 1);
    await clock.run(producer.flush());
    expect(auditStream(stub, counts)).toMatchObject({ ...CLEAN, distinctCount: 80 });
    const { copyCount, ...read } = auditStream(asKclReads(stub), counts);
    expect(copyCount).toBe(read.distinctCount);
    if (mixedAggregates === 'resend') expect(read).toEqual({ ...CLEAN, distinctCount: 80 });
    else expect(read.lost.length).toBeGreaterThan(0);
  },
);

test('without aggregation the stream routes by itself: a wrong prediction costs a refresh and no retry', async () => {
  const harness = await createHarness({ producer: { lingerMs: 1 } });
  const { clock, producer, stub } = harness;
  await putRound(harness, 0);
  stub.split(firstShard(stub));
  await clock.run(producer.flush());
  await clock.advance(100);
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
  await clock.advance(20);
  stub.split(firstShard(stub));
  // The other lane finds the split out, and the map is refreshed while the first answer is still open.
  await put(other, eventText(other, 0));
  await clock.advance(100);
  expect(producer.metrics.snapshot().shardMapRefreshes).toBe(1);
  await put(device, eventText(device, 1));
  await put(other, eventText(other, 1));
  await clock.advance(1_000);
  expect(seen.slice(1).flat()).not.toContain(eventText(device, 1));
  expect(seen.slice(1).flat()).toContain(eventText(other, 1));
  release?.();
  await clock.run(producer.flush());
  const counts = new Map([device, other].map((each) => [each, 2]));
  expect(auditStream(stub, counts)).toMatchObject(CLEAN);
});

test('a record that lingers during a reshard is sent from its new lane', async () => {
  const { clock, producer, put, stub, texts } = await createHarness({
    producer: { aggregate: true, lingerMs: 60_000, aggregateBytesMax: 1_000 },
  });
  const [device, other] = devicesInTwoLanesOfOneHalf();
  stub.split(firstShard(stub));
  await put(device, 'lingers');
  // A full lane does not linger, and finds the split out.
  await put(other, 'x'.repeat(1_000));
  await clock.advance(1_000);
  expect(producer.metrics.snapshot().shardMapRefreshes).toBe(1);
  await clock.run(producer.flush());
  expect([texts('acknowledged').length, texts('failed')]).toEqual([2, []]);
});

test('a lane hands on across two reshards what was on its way during both', async () => {
  const harness = await createHarness(aggregated);
  const { clock, producer, stub } = harness;
  stub.faults = { ...NO_FAULTS, answerLost: 1 };
  await putRound(harness, 0);
  await clock.advance(7);
  stub.split(firstShard(stub));
  const [left, right] = stub.openShards();
  if (left === undefined || right === undefined) throw new Error('two shards');
  stub.split(left.shardId);
  stub.split(right.shardId);
  await putRound(harness, 1);
  await clock.advance(300);
  stub.faults = NO_FAULTS;
  const counts = await putRound(harness, 2);
  await clock.run(producer.flush());
  expect(auditStream(stub, counts)).toMatchObject({ ...CLEAN, distinctCount: 120 });
  expect(producer.metrics.snapshot()).toMatchObject({ userRecordsAcknowledged: 120, bufferedBytes: 0 });
});

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
