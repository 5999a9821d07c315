import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { type KinesisServer, type KinesisServerOptions, startKinesis } from '@twinstream/local-aws/kinesis';
import { createLogger } from '@twinstream/runtime';
import {
  SHARD_IN_BYTES_PER_SECOND,
  SHARD_IN_RECORDS_PER_SECOND,
  sequenceNumber,
} from '@twinstream/stream-model';
import { createStreamProducer, kinesisTransport, type StreamTransport } from '@twinstream/stream-producer';
import { auditStream, eventText } from '@twinstream/stream-producer/testing';
import type { Benchmark, Figure } from '../benchmark.ts';
import { createStubStream } from '../producer-subjects/stub-stream.ts';
import type { OutgoingEvent, Subject } from '../producer-subjects/subject.ts';
import { awsKinesisAgg, putRecordsBatching, twinstream } from '../producer-subjects/subjects.ts';

const EVENT_BYTES = 170;
const MIB = 1_048_576;
const STREAM = 'device-events';
const UNLIMITED = {
  shardBytesPerSecond: Number.POSITIVE_INFINITY,
  shardRecordsPerSecond: Number.POSITIVE_INFINITY,
};

const aggregating = twinstream('twinstream, aggregated', { aggregate: true });
const plain = twinstream('twinstream, plain', {});

/** Device ids made beforehand: making them is not the producer's work. */
const deviceIds = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `device-${index}`);
const DATA = Buffer.alloc(EVENT_BYTES, 'x');

/** Puts events until `isOver`, each device in turn in a scattered order. */
async function putAll(
  subject: { put(event: OutgoingEvent): Promise<void> | void },
  devices: readonly string[],
  isOver: (put: number) => boolean,
): Promise<void> {
  for (let index = 0; !isOver(index); index += 1) {
    const partitionKey = devices[(index * 7_919) % devices.length] ?? '';
    const wait = subject.put({ partitionKey, data: DATA });
    if (wait) await wait;
  }
}

/* Speed: how many events a core takes from put to acknowledgement. */

const SPEED_SHARDS = 64;
const SPEED_EVENTS = 800_000;
const SPEED_WARM_UP_EVENTS = 150_000;

async function eventsPerCore(subject: Subject, devices: readonly string[], events: number): Promise<number> {
  const stream = createStubStream({ shardCount: SPEED_SHARDS });
  const run = async (count: number): Promise<void> => {
    const open = await subject.open(stream);
    await putAll(open, devices, (put) => put === count);
    await open.close();
    if (open.acknowledgedCount !== count)
      throw new Error(`${subject.name} acknowledged ${open.acknowledgedCount} of ${count}`);
  };
  await run(Math.min(events, SPEED_WARM_UP_EVENTS));
  const before = process.cpuUsage();
  await run(events);
  const { user, system } = process.cpuUsage(before);
  return events / ((user + system) / 1_000_000);
}

async function speed(): Promise<Figure[]> {
  const fleet = deviceIds(10_000);
  const subjects: [Subject, readonly string[], number, Partial<Figure>][] = [
    [
      twinstream('twinstream, aggregated', { ...UNLIMITED, aggregate: true }),
      fleet,
      SPEED_EVENTS,
      { atLeast: 200_000 },
    ],
    [awsKinesisAgg, fleet, SPEED_EVENTS, { note: 'keeps no order' }],
    [twinstream('twinstream, plain', UNLIMITED), fleet, SPEED_EVENTS / 4, {}],
    [putRecordsBatching, fleet, SPEED_EVENTS / 4, { note: 'keeps no order' }],
  ];
  const figures: Figure[] = [];
  const add = async (
    devices: string,
    [subject, ids, events, rest]: (typeof subjects)[number],
  ): Promise<void> => {
    const value = await eventsPerCore(subject, ids, events);
    const name = `put to acknowledgement, ${devices} devices, ${SPEED_SHARDS} shards, no network`;
    figures.push({ name, subject: subject.name, value, unit: 'events/s per core', ...rest });
  };
  for (const entry of subjects) await add('10,000', entry);
  const [first] = subjects;
  if (first) await add('1,000,000', [first[0], deviceIds(1_000_000), SPEED_EVENTS, {}]);
  return figures;
}

/* The embedded server: limits of a shard, and order under faults. */

type FaultInjector = NonNullable<KinesisServerOptions['faults']>;

async function withServer<T>(
  shardCount: number,
  faults: FaultInjector | undefined,
  use: (transport: StreamTransport, server: KinesisServer, client: KinesisClient) => Promise<T>,
): Promise<T> {
  const logger = createLogger('kinesis', 'silent');
  const server = await startKinesis(faults === undefined ? { logger } : { logger, faults });
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const client = kinesisClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  try {
    await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: shardCount }));
    for (let status = ''; status !== 'ACTIVE'; ) {
      const { StreamDescriptionSummary } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName: STREAM }),
      );
      status = StreamDescriptionSummary?.StreamStatus ?? '';
    }
    return await use(kinesisTransport({ streamName: STREAM, client }), server, client);
  } finally {
    client.destroy();
    await server.close();
  }
}

const SHARD_WARM_UP_MS = 1_500;
const SHARD_MEASURED_MS = 4_000;

/** Events acknowledged in a second of one shard, offered more than it takes; the burst at the start is left out. */
async function eventsPerShardSecond(subject: Subject): Promise<number> {
  return withServer(1, undefined, async (transport) => {
    const open = await subject.open(transport);
    let isStopped = false;
    const load = putAll(open, deviceIds(10_000), () => isStopped);
    await sleep(SHARD_WARM_UP_MS);
    const [count, startedAt] = [open.acknowledgedCount, performance.now()];
    await sleep(SHARD_MEASURED_MS);
    const rate = (open.acknowledgedCount - count) / ((performance.now() - startedAt) / 1_000);
    isStopped = true;
    // What is still on its way needs no measuring, but it must end.
    await load;
    await open.close();
    return rate;
  });
}

async function shardLimit(): Promise<Figure[]> {
  const small = { bufferBytesMax: 4 * MIB };
  const subjects: [Subject, Partial<Figure>][] = [
    [twinstream('twinstream, aggregated', { ...small, aggregate: true }), { atLeast: 4_800 }],
    [awsKinesisAgg, {}],
    [twinstream('twinstream, plain', small), { note: 'the limit is 1,000 records/s' }],
    [putRecordsBatching, { note: 'the limit is 1,000 records/s' }],
  ];
  const figures: Figure[] = [];
  for (const [subject, rest] of subjects) {
    const value = await eventsPerShardSecond(subject);
    const name = 'one shard at its limits, embedded server over HTTP';
    figures.push({ name, subject: subject.name, value, unit: 'events per shard-second', ...rest });
  }
  return figures;
}

const FAULTY_EVENTS = 5_000;
const FAULTY_DEVICES = 300;

/** 10 % of records fail, 5 % of requests are throttled, 1 % of answers are lost. */
const FAULTS: FaultInjector = {
  decide(_service, operation) {
    if (operation !== 'PutRecords') return undefined;
    const refusal = Math.random() < 0.05 ? 'throttle' : undefined;
    const answerLost = refusal === undefined && Math.random() < 0.01;
    return { delayMs: 0, refusal, answerLost, recordFails: () => Math.random() < 0.1 };
  },
};

/** Puts numbered events into a stream that fails in part, and audits what is in it. */
async function audit(subject: Subject) {
  return withServer(2, FAULTS, async (transport, server) => {
    const open = await subject.open(transport);
    const counts = new Map<string, number>();
    for (let index = 0; index < FAULTY_EVENTS; index += 1) {
      const partitionKey = `device-${(index * 7) % FAULTY_DEVICES}`;
      const number = counts.get(partitionKey) ?? 0;
      counts.set(partitionKey, number + 1);
      const data = Buffer.from(`${eventText(partitionKey, number)} `.padEnd(EVENT_BYTES, 'x'));
      const wait = open.put({ partitionKey, data });
      if (wait) await wait;
    }
    await open.close();
    const records = server
      .records(STREAM)
      .flatMap(({ shardId, records: list }) =>
        list.map((record) => ({ ...record, shardId, sequenceNumber: sequenceNumber(record.sequenceNumber) })),
      );
    const { shards } = await transport.listShards(undefined, new AbortController().signal);
    return auditStream({ shards, records }, counts);
  });
}

async function order(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const subject of [aggregating, plain, awsKinesisAgg, putRecordsBatching]) {
    const { outOfOrder, lost } = await audit(subject);
    const name = `${FAULTY_EVENTS.toLocaleString('en-US')} events of ${FAULTY_DEVICES} devices, 10 % partial failures, 5 % throttles, 1 % lost answers`;
    const isOurs = subject === aggregating || subject === plain;
    const bar = isOurs ? { atMost: 0 } : {};
    figures.push({
      name,
      subject: subject.name,
      value: outOfOrder.length,
      unit: 'events out of order',
      ...bar,
    });
    figures.push({ name, subject: subject.name, value: lost.length, unit: 'events lost', ...bar });
  }
  return figures;
}

/* Memory: a stream that takes a third of what is offered, for 30 s. */

const OVERLOAD_MS = 30_000;
const OVERLOAD_MEASURE_MS = 5_000;
const OVERLOAD_SHARDS = 2;
const OVERLOAD_BUFFER_BYTES = 16 * MIB;
/** An event with its share of the key table and of an aggregate. */
const AGGREGATED_EVENT_BYTES = 192;

/** Live memory in bytes, garbage collected. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function memory(): Promise<Figure[]> {
  const shardLimits = {
    bytesPerSecond: SHARD_IN_BYTES_PER_SECOND,
    recordsPerSecond: SHARD_IN_RECORDS_PER_SECOND,
  };
  const transport = createStubStream({ shardCount: OVERLOAD_SHARDS, shardLimits });
  const producer = await createStreamProducer({
    transport,
    aggregate: true,
    bufferBytesMax: OVERLOAD_BUFFER_BYTES,
  });
  const devices = deviceIds(10_000);
  const eventsPerMs = (3 * OVERLOAD_SHARDS * SHARD_IN_BYTES_PER_SECOND) / AGGREGATED_EVENT_BYTES / 1_000;
  const startedAt = performance.now();
  const elapsedMs = (): number => performance.now() - startedAt;
  /** Live memory every five seconds, from the moment on at which the buffer is long full. */
  const measured: number[] = [];
  for (let put = 0; elapsedMs() < OVERLOAD_MS; put += 1) {
    if (elapsedMs() >= (measured.length + 1) * OVERLOAD_MEASURE_MS) measured.push(liveBytes());
    while (put > elapsedMs() * eventsPerMs) await sleep(1);
    const wait = producer.put({ partitionKey: devices[(put * 7_919) % devices.length] ?? '', data: DATA });
    if (wait) await wait;
  }
  const [first = 0, ...later] = measured;
  const growth = Math.max(...later) - first;
  const drainFrom = performance.now();
  const { failedCount } = await producer.close();
  const name = '30 s at three times the capacity of 2 shards, no network, 16 MiB buffer';
  const subject = aggregating.name;
  return [
    // What is packed and on its way differs by some MiB from moment to moment; 100 bytes kept of each event would be 25.
    { name, subject, value: growth / MIB, unit: 'MiB of live memory more than at 5 s', atMost: 8 },
    { name, subject, value: (performance.now() - drainFrom) / 1_000, unit: 's until drained' },
    { name, subject, value: failedCount, unit: 'events failed', atMost: 0 },
  ];
}

const benchmark: Benchmark = {
  name: 'stream-producer',
  compares:
    `${EVENT_BYTES}-byte events into a stream: ours with and without aggregation, full PutRecords batches whose failures are ` +
    'sent again later, and the same with aws-kinesis-agg; CPU time of the whole process counts as the core',
  // Memory first: what the others leave behind is collected at any time.
  run: async () => [...(await memory()), ...(await speed()), ...(await shardLimit()), ...(await order())],
};

export default benchmark;
