import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { CodedError, systemClock } from '@twinstream/runtime';
import { encodeAggregate } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { runReplay } from '../../../src/replay/run-replay.ts';
import { streamSource } from '../../../src/replay/sources/stream-source.ts';
import { jobOf, memoryReplay, recordedEntries, STREAM } from '../memory-replay.ts';

const SHARD = 'shardId-000000000000';
const EVENT_COUNT = 30;
const { signal } = new AbortController();

/** A stream of one closed shard that holds one aggregated record. */
function clientOf(data: Uint8Array): KinesisClient {
  const record = { SequenceNumber: '100', PartitionKey: 'lane', Data: data };
  const all = { HashKeyRange: { StartingHashKey: '0', EndingHashKey: String(2n ** 128n - 1n) } };
  const send = async (command: object) => {
    if (command instanceof ListShardsCommand) return { Shards: [{ ShardId: SHARD, ...all }] };
    if (command instanceof GetShardIteratorCommand) {
      return { ShardIterator: command.input.ShardIteratorType };
    }
    if (!(command instanceof GetRecordsCommand)) throw new TypeError('another request');
    const isBehind = command.input.ShardIterator === 'AFTER_SEQUENCE_NUMBER';
    const arrived = { ...record, ApproximateArrivalTimestamp: new Date(1_000) };
    return { Records: isBehind ? [] : [arrived], MillisBehindLatest: 0 };
  };
  return { send } as unknown as KinesisClient;
}

/** A stream of one closed shard that holds these records: arrival times in milliseconds, in the order of the shard. */
function clientOfArrivals(arrivals: readonly number[]): KinesisClient {
  const [entry] = recordedEntries(1, 1);
  const all = { HashKeyRange: { StartingHashKey: '0', EndingHashKey: String(2n ** 128n - 1n) } };
  const send = async (command: object) => {
    if (command instanceof ListShardsCommand) return { Shards: [{ ShardId: SHARD, ...all }] };
    if (command instanceof GetShardIteratorCommand) {
      const fromMs = command.input.Timestamp?.getTime() ?? 0;
      return { ShardIterator: String(arrivals.findIndex((arrival) => arrival >= fromMs)) };
    }
    if (!(command instanceof GetRecordsCommand)) throw new TypeError('another request');
    const records = arrivals.map((arrival, at) => ({
      SequenceNumber: String(100 + at),
      PartitionKey: 'lane',
      Data: entry?.data,
      ApproximateArrivalTimestamp: new Date(arrival),
    }));
    return { Records: records.slice(Number(command.input.ShardIterator)), MillisBehindLatest: 0 };
  };
  return { send } as unknown as KinesisClient;
}

test('keeps the order of a shard whose arrival times step back: windows that meet have each record once', async () => {
  const client = clientOfArrivals([10, 30, 60, 40, 70]);
  const source = streamSource({ client, streamName: STREAM, clock: systemClock }, { isPolite: false });
  async function read(fromMs: number, toMs: number): Promise<readonly number[]> {
    const found: number[] = [];
    await source.read({ fromMs, toMs, checkpoints: {}, signal }, async ({ entries }) => {
      found.push(...entries.map(({ arrivalTime }) => arrivalTime));
    });
    return found;
  }
  expect(await read(0, 50)).toEqual([10, 30]);
  expect(await read(50, 100)).toEqual([60, 40, 70]);
});

test('goes on inside the aggregated record in which it was killed', async () => {
  const events = recordedEntries(1, EVENT_COUNT);
  const client = clientOf(encodeAggregate(events));
  const clock = { ...systemClock, sleep: async () => undefined };
  const services = memoryReplay({
    entries: [],
    clock,
    sourceOf: () => streamSource({ client, streamName: STREAM, clock }, { isPolite: false }),
  });
  let puts = 0;
  const appendPage: typeof services.fresh.eventStore.appendPage = async (page) => {
    puts += 1;
    if (puts === 2) throw new CodedError('DYNAMODB_REFUSED', 'killed');
    return services.fresh.eventStore.appendPage(page);
  };
  const killed = {
    ...services,
    fresh: { ...services.fresh, eventStore: { ...services.fresh.eventStore, appendPage } },
  };
  const parts = [{ source: 'stream' as const, fromMs: 0, toMs: 2_000 }];
  // Steps of ten entries.
  const job = jobOf({ target: 'fresh', parts, rate: 40 });
  await expect(runReplay(killed, job, signal)).rejects.toMatchObject({ code: 'DYNAMODB_REFUSED' });

  const resumed = await services.jobs.read('job');
  if (resumed === undefined) throw new Error('the job is gone');
  await runReplay(services, resumed, signal);
  let eventCount = 0;
  for await (const deviceId of services.fresh.eventStore.deviceIds()) {
    for await (const page of services.fresh.eventStore.pages(deviceId)) eventCount += page.events.length;
  }
  expect(eventCount).toBe(EVENT_COUNT);
});
