import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { systemClock } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';
import { planOf } from '../../src/replay/make-plan.ts';
import { planStream } from '../../src/replay/plan-stream.ts';
import { exactly, rangeText } from '../../src/replay/replay-plan.ts';
import { memoryOperations } from '../memory-operations.ts';

const { signal } = new AbortController();
const START = Date.parse('2026-11-23T08:00:00Z');
const END = START + 60_000;
const PART = { source: 'stream' as const, fromMs: START, toMs: END };
const SHARD = 'shardId-000000000000';
const READ_MAX = 10_000;

/** One shard with a record of so many bytes at each of these times. */
function shardOf(arrivals: readonly number[], recordBytes: number) {
  const data = Buffer.alloc(recordBytes, 0x20);
  const all = { HashKeyRange: { StartingHashKey: '0', EndingHashKey: String(2n ** 128n - 1n) } };
  const send = async (command: object) => {
    if (command instanceof ListShardsCommand) return { Shards: [{ ShardId: SHARD, ...all }] };
    if (command instanceof GetShardIteratorCommand) return { ShardIterator: '0' };
    if (!(command instanceof GetRecordsCommand)) throw new TypeError('another request');
    const from = Number(command.input.ShardIterator);
    const read = arrivals.slice(from, from + READ_MAX);
    const next = from + read.length;
    return {
      Records: read.map((timeMs, index) => ({
        SequenceNumber: String(1_000 + from + index),
        PartitionKey: 'bus-1',
        Data: data,
        ApproximateArrivalTimestamp: new Date(timeMs),
      })),
      NextShardIterator: String(next),
      MillisBehindLatest: next < arrivals.length ? 1 : 0,
    };
  };
  const kinesis = { send } as unknown as KinesisClient;
  return { ...memoryOperations({ ...systemClock, sleep: async () => undefined }), kinesis };
}

/** A trickle, a burst of 20,000 in two seconds, a trickle. */
const BURST = [
  ...Array.from({ length: 30 }, (_, index) => START + index * 1_000),
  ...Array.from({ length: 20_000 }, (_, index) => START + 31_000 + index / 10),
  ...Array.from({ length: 20 }, (_, index) => START + 34_000 + index * 1_000),
];

describe('a plan of a stream', () => {
  test('counts a burst that lies between others', async () => {
    const plan = await planStream(shardOf(BURST, 170), {}, PART, signal);
    expect(plan.events).toEqual(exactly(BURST.length));
    expect(plan.basis).toBe('counted');
    expect(plan.shards[0]?.start).toBe('1000');
  });

  test('leaves out what arrived after the window', async () => {
    const plan = await planStream(shardOf([...BURST, END, END + 1], 170), {}, PART, signal);
    expect(plan.events).toEqual(exactly(BURST.length));
  });

  test('that may not be read to its end has bounds that hold what is there, and says what they rest on', async () => {
    const plan = await planStream(shardOf(BURST, 1_000), {}, PART, signal);
    expect(plan.events.min).toBeLessThan(BURST.length);
    expect(plan.events.max).toBeGreaterThanOrEqual(BURST.length);
    expect(plan.basis).toMatch(/^counted in the first 4 MiB of each shard; at most what a shard takes in/);
  });
});

describe('the duration of a repair', () => {
  const part = { ...PART, events: exactly(45_396), bytes: exactly(7_700_000), basis: 'counted', shards: [] };
  const spec = { target: 'repair' as const, parts: [PART], isPolite: true, rate: 2_000 };

  test('holds the pauses of the projector and a reading for each pass', () => {
    const { durationMs, durationBasis } = planOf(spec, [part], 60_000);
    expect(durationMs.min).toBeGreaterThanOrEqual(22_600);
    // What such a repair was seen to take.
    expect(durationMs.max).toBeGreaterThan(189_000);
    expect(durationBasis).toContain('2 pauses of the projector');
  });

  test('of a preview holds no pause', () => {
    const { target: _, rate: __, ...dry } = spec;
    const { durationMs } = planOf({ ...dry, preview: 'repair' }, [part], 60_000);
    expect(durationMs.max).toBeLessThan(60_000);
  });
});

test('a range shows one number where both bounds read the same', () => {
  expect(rangeText({ min: 1, max: 2 }, String)).toBe('1 to 2');
  expect(rangeText(exactly(3), String)).toBe('3');
});
