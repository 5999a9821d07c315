import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  ProvisionedThroughputExceededException,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { type DeviceId, deviceId } from '@twinstream/device-model';
import { type EventStore, memoryEventStore } from '@twinstream/event-store';
import { memoryLatestStateTable, memoryShardProgressTable } from '@twinstream/latest-state';
import { type KinesisServer, startKinesis } from '@twinstream/local-aws/kinesis';
import { memoryJobStore, newJob, type ReplayServices, runReplay, streamSource } from '@twinstream/operations';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger, systemClock } from '@twinstream/runtime';
import { verifyDevices } from '@twinstream/verification';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const STREAM = 'device-events';
const DEVICES = 40;
const ACTIVE_DEADLINE_MS = 10_000;
const signal = new AbortController().signal;
const ids = Array.from({ length: DEVICES }, (_, device) => deviceId(`bus-${device}`));

let server: KinesisServer;
let client: KinesisClient;
let counter: number;

beforeEach(async () => {
  server = await startKinesis({ logger: createLogger('kinesis', 'silent'), limitsEnforced: false });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = kinesisClient({ endpoint: server.url, region: 'us-east-1', credentials });
  counter = 0;
  await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 2 }));
  await active();
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

async function active(): Promise<void> {
  for (const giveUpAt = Date.now() + ACTIVE_DEADLINE_MS; Date.now() < giveUpAt; ) {
    const command = new DescribeStreamSummaryCommand({ StreamName: STREAM });
    const { StreamDescriptionSummary } = await client.send(command);
    if (StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return;
  }
  throw new Error('the stream does not become active');
}

/** Every device says so many things more. */
async function say(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    counter += 1;
    const Records = ids.map((id) => ({
      PartitionKey: id,
      Data: Buffer.from(
        `${JSON.stringify({
          ...{ v: 1, deviceId: id, type: 'reported', time: new Date().toISOString(), session: 1, counter },
          data: { counter },
        })}\n`,
      ),
    }));
    await client.send(new PutRecordsCommand({ StreamName: STREAM, Records }));
  }
}

async function openShards() {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: STREAM }));
  return Shards.filter(({ SequenceNumberRange }) => SequenceNumberRange?.EndingSequenceNumber === undefined);
}

async function split(): Promise<void> {
  const [shard] = await openShards();
  const { StartingHashKey = '0', EndingHashKey = '0' } = shard?.HashKeyRange ?? {};
  const middle = (BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n;
  const input = { StreamName: STREAM, ShardToSplit: shard?.ShardId, NewStartingHashKey: String(middle) };
  await client.send(new SplitShardCommand(input));
  await active();
}

async function merge(): Promise<void> {
  const shards = (await openShards()).sort((a, b) =>
    BigInt(a.HashKeyRange?.StartingHashKey ?? 0) < BigInt(b.HashKeyRange?.StartingHashKey ?? 0) ? -1 : 1,
  );
  const input = {
    StreamName: STREAM,
    ShardToMerge: shards[0]?.ShardId,
    AdjacentShardToMerge: shards[1]?.ShardId,
  };
  await client.send(new MergeShardsCommand(input));
  await active();
}

function memoryServices(): ReplayServices & { readonly fresh: NonNullable<ReplayServices['fresh']> } {
  const stores = () => ({ eventStore: memoryEventStore(), latestState: memoryLatestStateTable() });
  return {
    jobs: memoryJobStore(),
    stores: stores(),
    fresh: stores(),
    quarantine: memoryQuarantine(),
    shardProgress: memoryShardProgressTable(),
    streamName: STREAM,
    sourceOf: () => streamSource({ client, streamName: STREAM, clock: systemClock }, { isPolite: false }),
    write: async () => undefined,
    whilePaused: (work) => work(),
    clock: systemClock,
    logger: createLogger('test', 'silent'),
  };
}

async function countersOf(store: EventStore, id: DeviceId): Promise<readonly number[]> {
  const counters: number[] = [];
  for await (const page of store.pages(id)) {
    for (const { event, late } of page.events) {
      expect(late).toBeUndefined();
      counters.push(event.identity?.counter ?? -1);
    }
  }
  return counters;
}

async function replayAll(): Promise<void> {
  const services = memoryServices();
  const parts = [{ source: 'stream' as const, fromMs: 0, toMs: Date.now() + 1 }];
  const job = newJob('job', { target: 'fresh', parts, isPolite: false }, Date.now());
  await runReplay(services, job, signal);
  expect(job).toMatchObject({ status: 'completed', failureCount: 0 });
  const expected = Array.from({ length: counter }, (_, index) => index + 1);
  for (const id of ids) expect(await countersOf(services.fresh.eventStore, id)).toEqual(expected);
  const { differences } = await verifyDevices(services.fresh, ids, { clock: systemClock });
  expect(differences).toEqual([]);
}

describe('a replay from the stream', () => {
  test('across splits and a merge keeps the order of every device and misses nothing', async () => {
    await say(20);
    await split();
    await say(20);
    await split();
    await say(10);
    await merge();
    await say(20);
    await replayAll();
  });

  test('whose shard reads are throttled misses nothing', async () => {
    await say(30);
    let throttled = 0;
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (call) => {
          if (commandName === GetRecordsCommand.name && throttled < 6) {
            throttled += 1;
            throw new ProvisionedThroughputExceededException({ message: 'slow down', $metadata: {} });
          }
          return next(call);
        },
      { step: 'initialize', name: 'throttleReads' },
    );
    await replayAll();
    expect(throttled).toBe(6);
  });
});
