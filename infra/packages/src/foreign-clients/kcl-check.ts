import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDynamoDb } from '@twinstream/local-aws/dynamodb';
import { type LocalKinesis, startLocalKinesis } from '@twinstream/local-aws/kinesis';
import { createStreamProducer, kinesisTransport } from '@twinstream/stream-producer';
import { callKinesis } from './call-kinesis.ts';
import { type CheckOutcome, requireInOrder } from './check-outcome.ts';
import { javaArguments, withJavaClient } from './java-client.ts';

const MAIN = 'ReadFleet';
const STREAM = 'devices';
const FLEET = { keys: 200, each: 100 };
const READING_MS = 50;
/** The KCL waits for half a minute and more before it reads, and between a shard and its children; on a busy machine for minutes. */
const QUIET_MS_MAX = 300_000;
const LOOK_MS = 1_000;

/** A consumer by the KCL, with its defaults, reads an aggregated fleet through a split and UpdateShardCount: each record once, in order. */
export function kclCheck(): Promise<CheckOutcome> {
  return withJavaClient('kcl', MAIN, readFleet);
}

async function readFleet(folder: string): Promise<CheckOutcome> {
  const kinesis = await startLocalKinesis({ stream: STREAM, shards: 2 });
  const dynamoDb = await startDynamoDb({ engine: 'dynalite' });
  const consumer = startConsumer(folder, kinesis.url, dynamoDb.url);
  try {
    const resent = await sendFleet(kinesis);
    await consumer.untilRead(FLEET.keys * FLEET.each);
    requireInOrder('KCL', consumer.numbers, FLEET);
    const { SubscribeToShard, GetRecords = 0 } = kinesis.counters().requests;
    return {
      kind: 'passed',
      seen: `KCL: ${FLEET.keys * FLEET.each} records, each once and in order though ${resent} were sent again after a reshard, of ${consumer.shardsEnded()} ended shards and others, by ${SubscribeToShard} subscriptions and ${GetRecords} GetRecords`,
    };
  } finally {
    consumer.stop();
    await dynamoDb.close();
    await kinesis.close();
  }
}

function startConsumer(folder: string, kinesisUrl: string, dynamoDbUrl: string) {
  const java: ChildProcess = spawn('java', javaArguments(MAIN, kinesisUrl, dynamoDbUrl, STREAM), {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const numbers = new Map<string, number[]>();
  let count = 0;
  let ended = 0;
  let heardMs = performance.now();
  if (java.stdout === null) throw new TypeError('no standard output');
  createInterface({ input: java.stdout }).on('line', (line) => {
    const [kind, , key = '', data] = line.split(' ');
    heardMs = performance.now();
    if (kind === 'E') ended += 1;
    if (kind !== 'R') return;
    count += 1;
    const ofKey = numbers.get(key);
    if (ofKey) ofKey.push(Number(data));
    else numbers.set(key, [Number(data)]);
  });
  return {
    numbers,
    shardsEnded: () => ended,
    stop: () => java.kill('SIGKILL'),
    untilRead: async (wanted: number) => {
      while (count < wanted) {
        if (java.exitCode !== null) throw new Error(`KCL: exit code ${java.exitCode}`);
        if (performance.now() - heardMs > QUIET_MS_MAX) {
          throw new Error(`KCL: ${count} of ${wanted} records, and nothing for ${QUIET_MS_MAX} ms`);
        }
        await sleep(LOOK_MS);
      }
      // Another would be one too many.
      await sleep(LOOK_MS);
    },
  };
}

/**
 * Sends from one producer while the shards change. The KCL drops an aggregate as a whole when one of its records belongs to another
 * shard (`AggregatorUtil.deaggregate`), as an aggregate may that is put while the shards change: hence `resend`.
 */
async function sendFleet(kinesis: LocalKinesis): Promise<number> {
  const changes = new Map<number, readonly [operation: string, input: object]>([
    [30, ['SplitShard', { ShardToSplit: 'shardId-000000000000', NewStartingHashKey: String(2n ** 126n) }]],
    [60, ['UpdateShardCount', { TargetShardCount: 5, ScalingType: 'UNIFORM_SCALING' }]],
  ]);
  Object.assign(process.env, kinesis.environment);
  const producer = await createStreamProducer({
    transport: kinesisTransport({ streamName: STREAM }),
    aggregate: true,
    mixedAggregates: 'resend',
  });
  for (let reading = 0; reading < FLEET.each; reading += 1) {
    const change = changes.get(reading);
    for (let device = 0; device < FLEET.keys; device += 1) {
      const wait = producer.put({ partitionKey: `device-${device}`, data: Buffer.from(String(reading)) });
      if (wait) await wait;
    }
    if (change) await callKinesis(kinesis.url, change[0], { StreamName: STREAM, ...change[1] });
    await sleep(READING_MS);
  }
  const { failedCount } = await producer.close();
  if (failedCount > 0) throw new Error(`the producer failed to put ${failedCount} records`);
  return producer.metrics.snapshot().retries['wrong-shard'];
}
