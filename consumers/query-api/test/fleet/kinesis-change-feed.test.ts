import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { createLogger } from '@twinstream/runtime';
import { type Shard, type ShardId, sequenceNumber, shardId } from '@twinstream/stream-model';
import { virtualClock } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { createCoverage } from '../../src/fleet/coverage.ts';
import { kinesisChangeFeed } from '../../src/fleet/kinesis-change-feed.ts';

const SHARD = shardId('shardId-000000000000');
const utf8 = new TextEncoder();

interface Answer {
  readonly numbers: readonly number[];
  readonly behindMs: number;
}

/** A feed over one shard that answers as it is told, and what was asked of it. */
function scripted(answers: readonly Answer[]) {
  const iterators: (string | undefined)[] = [];
  const limits: (number | undefined)[] = [];
  const rest = [...answers];
  const client = new KinesisClient({ region: 'local' });
  client.send = async (command: object) => {
    if (command instanceof GetShardIteratorCommand) {
      iterators.push(command.input.ShardIteratorType);
      return { ShardIterator: 'i' };
    }
    if (!(command instanceof GetRecordsCommand)) throw new Error('not asked for here');
    limits.push(command.input.Limit);
    const { numbers = [], behindMs = 0 } = rest.shift() ?? {};
    return {
      Records: numbers.map((number) => ({
        SequenceNumber: String(number),
        PartitionKey: 'k',
        Data: utf8.encode(`{"deviceId":"d-${number}"}`),
      })),
      NextShardIterator: 'i',
      MillisBehindLatest: behindMs,
    };
  };
  const shard: Shard = { shardId: SHARD, isOpen: true, hashKeyRange: { start: 0n, end: 0n } };
  const feed = kinesisChangeFeed({
    client,
    streamName: 's',
    shards: async () => [shard],
    clock: virtualClock(),
    logger: createLogger('test', 'silent'),
  });
  return { feed, iterators, limits };
}

const at = (number: number) =>
  new Map<ShardId, ReturnType<typeof sequenceNumber>>([[SHARD, sequenceNumber(String(number))]]);

test('claims nothing of what it left out by a leap to the tip', async () => {
  const { feed, iterators } = scripted([
    { numbers: [101], behindMs: 0 },
    { numbers: [102], behindMs: 900_001 },
    { numbers: [], behindMs: 0 },
    { numbers: [900], behindMs: 0 },
    { numbers: [901], behindMs: 0 },
  ]);
  const coverage = createCoverage();
  coverage.noteReading(at(100));
  const covered: (string | undefined)[] = [];
  for (const finished of [101, 800, 850, 900, 901]) {
    for (const hints of await feed.poll(at(100))) coverage.addHints(hints, 0);
    coverage.take(at(finished)).settle();
    covered.push(coverage.vector.get(SHARD));
  }
  // What lies between 101 and the tip was not seen: nothing behind it is claimed until the table has been read.
  expect(covered).toEqual(['101', '101', '101', '101', '101']);
  expect(iterators).toEqual(['AFTER_SEQUENCE_NUMBER', 'LATEST']);
  coverage.noteReading(at(900));
  coverage.take(at(901));
  for (const hints of await feed.poll(at(100))) coverage.addHints(hints, 0);
  coverage.take(at(950)).settle();
  expect(coverage.vector.get(SHARD)).toBe('950');
});

test('reads on where it stands, as far behind as it may be', async () => {
  const { feed, iterators } = scripted([
    { numbers: [101], behindMs: 900_000 },
    { numbers: [102], behindMs: 0 },
  ]);
  const first = await feed.poll(at(100));
  const second = await feed.poll(at(100));
  expect([first, second].map(([hints]) => [hints?.from, hints?.records.length, hints?.atTip])).toEqual([
    ['100', 1, false],
    ['100', 1, true],
  ]);
  expect(iterators).toHaveLength(1);
});

test('goes on from saved positions, with all of a shard that they do not name, and reads more while it is behind', async () => {
  const { feed, iterators, limits } = scripted([
    { numbers: [51], behindMs: 300_000 },
    { numbers: [52], behindMs: 0 },
    { numbers: [], behindMs: 0 },
  ]);
  feed.restart(at(50));
  const first = await feed.poll(at(100));
  const second = await feed.poll(at(100));
  expect([...first, ...second].map(({ from }) => from)).toEqual(['50', '50']);
  await feed.poll(at(100));
  expect(limits).toEqual([2_000, 5_000, 2_000]);
  feed.restart(new Map());
  await feed.poll(at(100));
  expect(iterators).toEqual(['AFTER_SEQUENCE_NUMBER', 'TRIM_HORIZON']);
});
