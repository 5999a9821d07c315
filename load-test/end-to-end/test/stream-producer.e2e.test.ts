import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { type KinesisServer, type KinesisServerOptions, startKinesis } from '@twinstream/local-aws/kinesis';
import { createLogger } from '@twinstream/runtime';
import { HASH_KEY_MAX, type Shard, sequenceNumber, shardId } from '@twinstream/stream-model';
import {
  createStreamProducer,
  kinesisTransport,
  type MetricsSnapshot,
  type PutOutcome,
  retryCount,
} from '@twinstream/stream-producer';
import { auditAcknowledgements, auditStream, CLEAN, eventText } from '@twinstream/stream-producer/testing';
import { seededRandom } from '@twinstream/test-kit';
import { afterEach, expect, test } from 'vitest';

const STREAM = 'device-events';
const DEVICES = 300;
const EVENTS = 9_000;
const DEADLINE_MS = 30_000;

type FaultInjector = NonNullable<KinesisServerOptions['faults']>;

/** The faults of the issue on PutRecords: 10 % of records, 5 % of requests throttled, 1 % of answers lost. */
function putFaults(): FaultInjector {
  // A fixed sequence, so that a failure can be had again.
  const draw = seededRandom(20_261_123).next;
  return {
    decide(_service, operation) {
      if (operation !== 'PutRecords') return undefined;
      const isThrottled = draw() < 0.05;
      const answerLost = !isThrottled && draw() < 0.01;
      const refusal = isThrottled ? 'throttle' : undefined;
      return { delayMs: 0, refusal, answerLost, recordFails: () => draw() < 0.1 };
    },
  };
}

let server: KinesisServer | undefined;
let client: KinesisClient | undefined;

afterEach(async () => {
  client?.destroy();
  await server?.close();
});

async function startStream(shardCount: number): Promise<{ server: KinesisServer; client: KinesisClient }> {
  const started = await startKinesis({ faults: putFaults(), logger: createLogger('kinesis', 'silent') });
  server = started;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const kinesis = kinesisClient({ endpoint: started.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  client = kinesis;
  await kinesis.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: shardCount }));
  await untilActive(kinesis);
  return { server: started, client: kinesis };
}

async function untilActive(kinesis: KinesisClient): Promise<void> {
  for (const giveUpAt = Date.now() + DEADLINE_MS; Date.now() < giveUpAt; ) {
    const summary = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: STREAM }));
    if (summary.StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return;
  }
  throw new Error('the stream does not become active');
}

async function listShards(kinesis: KinesisClient): Promise<readonly Shard[]> {
  const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: STREAM }));
  return Shards.map((shard) => ({
    shardId: shardId(shard.ShardId ?? ''),
    hashKeyRange: {
      start: BigInt(shard.HashKeyRange?.StartingHashKey ?? -1),
      end: BigInt(shard.HashKeyRange?.EndingHashKey ?? -1),
    },
    isOpen: shard.SequenceNumberRange?.EndingSequenceNumber === undefined,
    ...(shard.ParentShardId === undefined ? {} : { parentShardId: shardId(shard.ParentShardId) }),
    ...(shard.AdjacentParentShardId === undefined
      ? {}
      : { adjacentParentShardId: shardId(shard.AdjacentParentShardId) }),
  }));
}

/** Splits the first open shard, and merges the two last ones. */
async function reshard(kinesis: KinesisClient): Promise<void> {
  const open = (await listShards(kinesis))
    .filter(({ isOpen }) => isOpen)
    .sort((a, b) => (a.hashKeyRange.start < b.hashKeyRange.start ? -1 : 1));
  const [first] = open;
  const [left, right] = open.slice(-2);
  if (first === undefined || left === undefined || right === undefined) throw new Error('three shards');
  const middle = (first.hashKeyRange.start + first.hashKeyRange.end + 1n) / 2n;
  const split = { ShardToSplit: first.shardId, NewStartingHashKey: String(middle) };
  await kinesis.send(new SplitShardCommand({ StreamName: STREAM, ...split }));
  await untilActive(kinesis);
  const merge = { ShardToMerge: left.shardId, AdjacentShardToMerge: right.shardId };
  await kinesis.send(new MergeShardsCommand({ StreamName: STREAM, ...merge }));
  await untilActive(kinesis);
}

/** Every counter of the producer against what the server saw. */
function expectTrueCounts(
  metrics: MetricsSnapshot,
  kinesis: KinesisServer,
  recordsInThrottledRequests: number,
): void {
  const seen = kinesis.counters();
  const { requestsSent, requestsAnswered, requestsUnanswered, requestsThrottled } = metrics;
  expect(requestsSent).toBe(seen.requests.PutRecords);
  expect(requestsThrottled).toBe(seen.faults.throttled);
  expect(requestsUnanswered).toBe(seen.faults.answersLost);
  expect(requestsSent).toBe(requestsAnswered + requestsUnanswered + requestsThrottled);
  // A record that was sent was stored, refused, or in a request that was refused whole; the server counts lost answers too.
  const refused = seen.recordsThrottled + seen.faults.recordsFailed;
  expect(metrics.recordsSent).toBe(seen.recordsAccepted + refused + recordsInThrottledRequests);
  expect(seen.recordsAccepted).toBeGreaterThanOrEqual(metrics.recordsAcknowledged);
  expect(metrics.userRecordsSent).toBe(EVENTS + retryCount(metrics));
}

test.each([
  ['without aggregation', false],
  ['with aggregation', true],
])(
  '%s a stream that fails in part, throttles, loses answers and is resharded in mid-run keeps the order of every device and every event',
  async (_, aggregate) => {
    const { server: kinesis, client: sdk } = await startStream(3);
    const producer = await createStreamProducer({
      transport: kinesisTransport({ streamName: STREAM, client: sdk }),
      aggregate,
      aggregateBytesMax: 2_000,
      lingerMs: 5,
      bufferBytesMax: 2_000_000,
    });
    let recordsInThrottledRequests = 0;
    producer.metrics.subscribe((event) => {
      if (event.type === 'request' && event.result === 'throttled') {
        recordsInThrottledRequests += event.recordCount;
      }
    });
    const outcomes: PutOutcome[] = [];
    const counts = new Map<string, number>();
    let resharded: Promise<void> | undefined;
    for (let index = 0; index < EVENTS; index += 1) {
      const device = `device-${(index * 7_919 + (index % 11)) % DEVICES}`;
      const number = counts.get(device) ?? 0;
      counts.set(device, number + 1);
      const data = Buffer.from(`${eventText(device, number)} ${'x'.repeat(150)}`);
      const wait = producer.put({ partitionKey: device, data }, (outcome) => {
        outcomes.push(outcome);
        // When a third is in the stream, the rest is on its way or waits: the middle of the run.
        if (outcomes.length === EVENTS / 3) resharded = reshard(sdk);
      });
      if (wait) await wait;
    }
    const report = await producer.close();
    await resharded;

    expect(report).toEqual({ acknowledgedCount: EVENTS, failedCount: 0, failed: [] });
    const acknowledged = outcomes.filter((outcome) => outcome.status === 'acknowledged');
    const content = {
      shards: await listShards(sdk),
      records: kinesis.records(STREAM).flatMap(({ shardId: id, records }) =>
        records.map((record) => ({
          ...record,
          shardId: id,
          sequenceNumber: sequenceNumber(record.sequenceNumber),
        })),
      ),
    };
    expect(content.shards.filter(({ isOpen }) => isOpen)).toHaveLength(3);
    expect(content.shards.map(({ hashKeyRange }) => hashKeyRange.end)).toContain(HASH_KEY_MAX);
    expect(auditStream(content, counts)).toMatchObject({ ...CLEAN, distinctCount: EVENTS });
    expect(auditAcknowledgements(content, acknowledged)).toEqual([]);
    const metrics = producer.metrics.snapshot();
    expectTrueCounts(metrics, kinesis, recordsInThrottledRequests);
    expect(metrics.shardMapRefreshes).toBeGreaterThan(0);
    expect(kinesis.counters().faults.answersLost + metrics.requestsThrottled).toBeGreaterThan(0);
  },
);
