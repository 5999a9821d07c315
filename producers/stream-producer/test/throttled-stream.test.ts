import { seededRandom, virtualClock } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import type { PutOutcome } from '../src/put-outcome.ts';
import { createStreamProducer } from '../src/stream-producer.ts';
import { auditStream, CLEAN, eventText } from '../src/testing/stream-audit.ts';
import { createKinesisStub } from './kinesis-stub.ts';

const SHARDS = 2;
const RECORDS_PER_SECOND = 200;
const BYTES_PER_SECOND = 40_000;
const BUFFER_BYTES_MAX = 400_000;
const OVERLOAD = 3;
/** An event of the test, its key in the table, and what aggregation adds. */
const AGGREGATED_EVENT_BYTES = 34;
const DEVICES = 500;
const LOAD_MS = 30_000;

/** Overloads made so far: each is the same every time, and takes seconds. */
const overloads = new Map<string, ReturnType<typeof makeOverload>>();

function overload(aggregate: boolean, isThrottledWhole: boolean): ReturnType<typeof makeOverload> {
  const key = `${aggregate} ${isThrottledWhole}`;
  const known = overloads.get(key) ?? makeOverload(aggregate, isThrottledWhole);
  overloads.set(key, known);
  return known;
}

/** Puts three times what the shards take, for 30 s of the clock, waiting whenever put says so; then closes. */
async function makeOverload(aggregate: boolean, isThrottledWhole: boolean) {
  const clock = virtualClock();
  const random = seededRandom(7).next;
  const stub = createKinesisStub({
    clock,
    shardCount: SHARDS,
    shardRecordsPerSecond: RECORDS_PER_SECOND,
    shardBytesPerSecond: BYTES_PER_SECOND,
  });
  const counts = new Map<string, number>();
  const failed: PutOutcome[] = [];
  const bufferedBytes: number[] = [];
  let acknowledgedBytes = 0;

  async function load() {
    const producer = await createStreamProducer({
      transport: stub,
      clock,
      random,
      aggregate,
      recordBytesMax: 10_000,
      aggregateBytesMax: 4_000,
      bufferBytesMax: BUFFER_BYTES_MAX,
      // The producer expects the full rate of a shard: it has to learn the real one.
      shardRecordsPerSecond: RECORDS_PER_SECOND * 5,
      shardBytesPerSecond: BYTES_PER_SECOND * 5,
    });
    const onOutcome = (outcome: PutOutcome): void => {
      if (outcome.status === 'failed') failed.push(outcome);
      else acknowledgedBytes += outcome.record.data.length;
    };
    const startMs = clock.now();
    stub.isThrottling = isThrottledWhole;
    const perSecond = aggregate ? BYTES_PER_SECOND / AGGREGATED_EVENT_BYTES : RECORDS_PER_SECOND;
    const eventsPerMs = (perSecond * SHARDS * OVERLOAD) / 1_000;
    let put = 0;
    while (clock.now() - startMs < LOAD_MS) {
      const device = `device-${Math.floor(random() * DEVICES)}`;
      const number = counts.get(device) ?? 0;
      counts.set(device, number + 1);
      const data = Buffer.from(`${eventText(device, number)}`);
      const wait = producer.put({ partitionKey: device, data }, onOutcome);
      bufferedBytes.push(producer.metrics.snapshot().bufferedBytes);
      if (wait) {
        // While nothing is stored nothing is acknowledged, and a full buffer waits for the end of the 30 s.
        await Promise.race([wait, clock.sleep(startMs + LOAD_MS - clock.now())]);
      }
      if (wait && stub.isThrottling) break;
      put += 1;
      const dueMs = startMs + Math.floor(put / eventsPerMs);
      if (dueMs > clock.now()) await clock.sleep(dueMs - clock.now());
    }
    await clock.sleep(Math.max(0, startMs + LOAD_MS - clock.now()));
    stub.isThrottling = false;
    const report = await producer.close();
    return { report, metrics: producer.metrics.snapshot() };
  }
  const { report, metrics } = await clock.run(load());
  return { stub, counts, failed, bufferedBytes, report, metrics, acknowledgedBytes };
}

test.each([
  ['at three times its capacity, without aggregation', false, false],
  ['at three times its capacity, with aggregation', true, false],
  ['that refuses everything for 30 s, without aggregation', false, true],
  ['that refuses everything for 30 s, with aggregation', true, true],
])('a stream %s costs a bounded buffer, no order, and no event', async (_, aggregate, isThrottledWhole) => {
  const { stub, counts, failed, bufferedBytes, report, metrics } = await overload(
    aggregate,
    isThrottledWhole,
  );
  const put = [...counts.values()].reduce((sum, count) => sum + count, 0);

  expect(Math.max(...bufferedBytes)).toBeLessThanOrEqual(BUFFER_BYTES_MAX);
  expect(Math.max(...bufferedBytes)).toBeGreaterThan(BUFFER_BYTES_MAX * 0.9);
  expect(metrics.recordsThrottled).toBeGreaterThan(0);
  expect(failed).toEqual([]);
  expect(report).toMatchObject({ acknowledgedCount: put, failedCount: 0 });
  expect(metrics).toMatchObject({ userRecordsPending: 0, bufferedBytes: 0 });
  expect(auditStream(stub, counts)).toMatchObject({ ...CLEAN, distinctCount: put, copyCount: put });
});

test('the limiter learns the rate of a shard: throttles become the exception, and the shard stays busy', async () => {
  const { stub, metrics } = await overload(false, false);
  expect(metrics.recordsThrottled).toBeLessThan(metrics.recordsAcknowledged * 0.5);
  const [first, last] = [stub.records[0], stub.records.at(-1)];
  const seconds = ((last?.arrivalMs ?? 0) - (first?.arrivalMs ?? 0)) / 1_000;
  expect(stub.records.length / seconds / SHARDS).toBeGreaterThan(RECORDS_PER_SECOND * 0.8);
});
