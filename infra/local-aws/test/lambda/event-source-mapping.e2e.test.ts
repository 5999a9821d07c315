import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  UpdateShardCountCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import { UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { lambdaClient } from '@twinstream/aws/lambda';
import { s3Client } from '@twinstream/aws/s3';
import { sqsClient } from '@twinstream/aws/sqs';
import { FAILED_BATCHES_PREFIX, LOCAL_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { createLogger } from '@twinstream/runtime';
import { readyLine } from '@twinstream/test-kit';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ReadyChild, startReadyChild } from '../../src/child-process/ready-child.ts';
import { createFaultInjector, type SeededFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import { type KinesisServer, startKinesis } from '../../src/kinesis/index.ts';
import { type Lambda, type LambdaOptions, startLambda } from '../../src/lambda/lambda.ts';
import { ensureBucket, startS3 } from '../../src/s3/s3.ts';

const local = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const logger = createLogger('test', 'silent');
const STREAM = 'device-events';
const BUCKET = 'failed-batches';
const KEYS = 20;

let folder = '';
let seenFile = '';
let kinesis: KinesisServer;
let client: KinesisClient;
let s3: ReadyChild;
let injector: SeededFaultInjector;
let lambda: Lambda | undefined;
let host: { readonly url: string; readonly child: ChildProcess };
let sent = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mapping-'));
  seenFile = join(folder, 'seen.ndjson');
  injector = createFaultInjector();
  sent = 0;
  [kinesis, s3, host] = await Promise.all([startKinesis({ transitionMs: 0 }), startS3(), startHost()]);
  client = kinesisClient({ ...local, endpoint: kinesis.url });
  await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 2 }));
  await waitUntilStreamExists({ client, maxWaitTime: 10, minDelay: 0.05 }, { StreamName: STREAM });
});
afterEach(async () => {
  await lambda?.close();
  lambda = undefined;
  host.child.kill('SIGKILL');
  client.destroy();
  await Promise.all([kinesis.close(), s3.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function startHost(): Promise<{ url: string; child: ChildProcess }> {
  const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const args = [
    file('../../src/lambda/function-host.ts'),
    '--name',
    'recorder',
    '--module',
    file('./functions/recorder.ts'),
  ];
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, RECORDER_FILE: seenFile },
  });
  const { url }: { url: string } = JSON.parse(await readyLine(child));
  return { url, child };
}

async function startMapping(options: Partial<LambdaOptions> = {}, settings = {}): Promise<Lambda> {
  lambda = await startLambda({
    kinesis: kinesis.url,
    s3Url: s3.url,
    functions: { recorder: host.url },
    mappings: [
      {
        functionName: 'recorder',
        streamName: STREAM,
        settings: { ...LOCAL_MAPPING_SETTINGS, ...settings },
        failureBucket: BUCKET,
      },
    ],
    dataDir: join(folder, 'lambda'),
    injector,
    logger,
    ...options,
  });
  return lambda;
}

/** Puts `count` numbered records over the keys. */
async function put(count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    const Records = Array.from({ length: Math.min(100, count - done) }, () => {
      const number = sent;
      sent += 1;
      return { PartitionKey: `key-${number % KEYS}`, Data: Buffer.from(String(number)) };
    });
    const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName: STREAM, Records }));
    expect(FailedRecordCount).toBe(0);
  }
}

interface Seen {
  readonly eventID: string;
  readonly text: string;
}

const seen = (): readonly Seen[] =>
  existsSync(seenFile)
    ? readFileSync(seenFile, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line): Seen => JSON.parse(line))
    : [];
const allSeen = () => expect(new Set(seen().map(({ text }) => text)).size).toBe(sent);
const wait = { timeout: 60_000, interval: 50 };

/** Each record as it came first. */
function firstSeen(): readonly Seen[] {
  const texts = new Set<string>();
  return seen().filter(({ text }) => !texts.has(text) && texts.add(text));
}

/** Of each key, the numbers rise. */
function expectOrder(records: readonly Seen[]): void {
  const ofKey = Map.groupBy(records, ({ text }) => Number(text) % KEYS);
  for (const numbers of ofKey.values()) {
    const order = numbers.map(({ text }) => Number(text));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  }
}

it('delivers every record once and in order, through a reshard, with its real stream ARN', async () => {
  await put(500);
  await startMapping();
  await vi.waitFor(allSeen, wait);
  await client.send(
    new UpdateShardCountCommand({ StreamName: STREAM, TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' }),
  );
  await vi.waitFor(async () => {
    const { StreamDescriptionSummary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: STREAM }),
    );
    expect(StreamDescriptionSummary).toMatchObject({ StreamStatus: 'ACTIVE', OpenShardCount: 4 });
  }, wait);
  await put(500);
  await vi.waitFor(allSeen, wait);

  expect(seen()).toHaveLength(1_000);
  expectOrder(seen());
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: STREAM }));
  const shardOf = new Set(seen().map(({ eventID }) => eventID.split(':')[0]));
  expect([...shardOf].every((shardId) => Shards.some((shard) => shard.ShardId === shardId))).toBe(true);
  expect(shardOf.size).toBe(6);
});

it('goes on after a restart, and after it was disabled, where it was', async () => {
  await put(200);
  const first = await startMapping();
  await vi.waitFor(allSeen, wait);
  await first.close();
  await put(100);
  const second = await startMapping();
  await vi.waitFor(allSeen, wait);
  expect(seen()).toHaveLength(300);

  const api = lambdaClient({ ...local, endpoint: second.url });
  const UUID = second.status()[0]?.mappingId;
  await api.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
  await vi.waitFor(() => expect(second.status()[0]?.state).toBe('Disabled'), wait);
  await put(100);
  await api.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
  await vi.waitFor(allSeen, wait);
  api.destroy();
  expect(seen()).toHaveLength(400);
  expectOrder(seen());
});

it('loses no record when the function is killed repeatedly', async () => {
  await startMapping({}, { batchSize: 20 });
  for (let kill = 0; kill < 4; kill += 1) {
    await put(300);
    const before = seen().length;
    await vi.waitFor(() => expect(seen().length).toBeGreaterThan(before), wait);
    host.child.kill('SIGKILL');
    await put(100);
    host = await startHost();
    lambda?.setFunction('recorder', host.url);
  }
  await vi.waitFor(allSeen, wait);
  expectOrder(firstSeen());
});

it('loses no record when the mapping itself is killed with kill -9', async () => {
  const main = fileURLToPath(new URL('./lambda-process.ts', import.meta.url));
  const args = [kinesis.url, s3.url, host.url, join(folder, 'lambda')];
  for (let kill = 0; kill < 3; kill += 1) {
    const child = await startReadyChild(main, args);
    await put(400);
    const before = seen().length;
    await vi.waitFor(() => expect(seen().length).toBeGreaterThan(before + 50), wait);
    process.kill(child.pid, 'SIGKILL');
    await child.exited;
  }
  const last = await startReadyChild(main, args);
  await vi.waitFor(allSeen, wait);
  await last.close();
  expectOrder(firstSeen());
});

it('gives up a poison record to S3, with its payload, and blocks nothing', async () => {
  const bucket = s3Client({ ...local, endpoint: s3.url });
  await ensureBucket(bucket, BUCKET);
  await put(50);
  // Fails every invocation for a while: single records then run out of retries.
  injector.replace([{ service: 'lambda', operation: 'Invoke', kind: 'error', rate: 1, count: 12 }]);
  await startMapping({}, { batchSize: 4, retryAttemptsMax: 1 });
  await vi.waitFor(async () => {
    const { Contents = [] } = await bucket.send(
      new ListObjectsV2Command({ Bucket: BUCKET, Prefix: FAILED_BATCHES_PREFIX }),
    );
    expect(Contents.length).toBeGreaterThan(0);
  }, wait);
  await vi.waitFor(async () => {
    const given = await failedTexts();
    expect(new Set([...given, ...seen().map(({ text }) => text)]).size).toBe(sent);
  }, wait);
  const given = await failedTexts();
  expect(given.filter((text) => seen().some((record) => record.text === text))).toEqual([]);
  bucket.destroy();

  async function failedTexts(): Promise<readonly string[]> {
    const texts: string[] = [];
    const { Contents = [] } = await bucket.send(
      new ListObjectsV2Command({ Bucket: BUCKET, Prefix: FAILED_BATCHES_PREFIX }),
    );
    for (const { Key } of Contents) {
      const { Body } = await bucket.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      const document = JSON.parse((await Body?.transformToString()) ?? '');
      expect(document.requestContext).toMatchObject({
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 2,
      });
      const event = JSON.parse(document.payload);
      expect(event.Records).toHaveLength(document.KinesisBatchInfo.batchSize);
      for (const { kinesis: record } of event.Records)
        texts.push(Buffer.from(record.data, 'base64').toString());
    }
    return texts;
  }
});

it('tells an SQS queue of a batch that it gave up, and delivers what the filter matches', async () => {
  const sqs = sqsClient({ ...local, endpoint: s3.url });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'given-up' }));
  await put(60);
  const settings = { ...LOCAL_MAPPING_SETTINGS, bisectBatchOnFunctionError: false, retryAttemptsMax: 0 };
  const filters = ['{"data": {"number": [{"numeric": [">=", 1000]}]}}'];
  const mappings = [
    { functionName: 'recorder', streamName: STREAM, settings, failureQueue: 'given-up', filters },
  ];
  const wanted = ['{"number": 1000}', '{"number": 1001}'];
  for (const text of wanted) {
    const input = { StreamName: STREAM, PartitionKey: 'a', Data: Buffer.from(text) };
    await client.send(new PutRecordCommand(input));
    // The first is given up before the second is there.
    if (text !== wanted[0]) continue;
    injector.replace([{ service: 'lambda', operation: 'Invoke', kind: 'error', rate: 1, count: 1 }]);
    await startMapping({ sqsUrl: s3.url, mappings });
    const message = await vi.waitFor(async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      expect(Messages).toHaveLength(1);
      return JSON.parse(Messages[0]?.Body ?? '');
    }, wait);
    expect(message).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 1 },
      KinesisBatchInfo: { batchSize: 1, streamArn: expect.stringContaining(STREAM) },
    });
    expect(message).not.toHaveProperty('payload');
  }
  await vi.waitFor(() => expect(seen().map(({ text }) => text)).toEqual([wanted[1]]), wait);
  sqs.destroy();
});

it('delivers everything under throttled reads, lost answers of the function and slow Kinesis', async () => {
  injector = createFaultInjector([
    { service: 'lambda', kind: 'lost-answer', rate: 0.2, seed: 3 },
    { service: 'lambda', kind: 'throttle', rate: 0.2, seed: 4 },
  ]);
  await kinesis.close();
  const faulty = createFaultInjector([
    { service: 'kinesis', operation: 'GetRecords', kind: 'throttle', rate: 0.3, seed: 1 },
    { service: 'kinesis', operation: 'GetRecords', kind: 'lost-answer', rate: 0.1, seed: 2 },
    { service: 'kinesis', operation: 'GetShardIterator', kind: 'error', rate: 0.3, seed: 5 },
    { service: 'kinesis', operation: 'ListShards', kind: 'error', rate: 0.3, seed: 6 },
  ]);
  client.destroy();
  kinesis = await startKinesis({ transitionMs: 0, faults: faulty });
  client = kinesisClient({ ...local, endpoint: kinesis.url });
  await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 2 }));
  await waitUntilStreamExists({ client, maxWaitTime: 10, minDelay: 0.05 }, { StreamName: STREAM });
  await put(1_000);
  await startMapping({}, { batchSize: 50 });
  await vi.waitFor(allSeen, wait);
  expect(faulty.report().reduce((sum, { injected }) => sum + injected, 0)).toBeGreaterThan(0);
});
