import { expect, it } from 'vitest';
import { recordFilter } from '../../src/lambda/record-filter.ts';
import { FunctionError, failing, mappingWorld } from './mapping-world.ts';

const SHARD = 'shardId-000000000000';
const HOT = recordFilter([
  '{"data": {"temperature": [{"numeric": [">", 30]}]}}',
  '{"data": {"alarm": [true]}}',
]);

function filteredWorld(script?: Parameters<typeof mappingWorld>[0]) {
  const world = mappingWorld({ filter: HOT, settings: { batchSize: 10 }, ...script });
  world.stream.addShard(SHARD);
  const put = (text: string) => world.stream.put(SHARD, 'a', text);
  return { world, put };
}

it('delivers what one of the patterns matches, in order, and nothing else', async () => {
  const { world, put } = filteredWorld();
  for (const text of [
    '{"temperature": 31}',
    '{"temperature": 30}',
    'not JSON',
    '31',
    '{"temperature": 20, "alarm": true}',
    '{"temperature": "99"}',
    '{"temperature": 32}',
  ]) {
    put(text);
  }
  world.start();
  await world.clock.runUntil(() => world.invocations.length > 0);
  expect(world.batches()).toEqual([
    ['{"temperature": 31}', '{"temperature": 20, "alarm": true}', '{"temperature": 32}'],
  ]);
  expect(world.metrics.shards()[SHARD]).toMatchObject({ records: 7, filtered: 4 });
  await world.stop();
});

it('moves the checkpoint past what it leaves out, and finishes a shard of nothing else', async () => {
  const { world, put } = filteredWorld();
  put('{"temperature": 1}');
  const last = put('{"temperature": 2}');
  world.start();
  await world.clock.runUntil(() => world.checkpoint(SHARD) !== undefined);
  expect(world.checkpoint(SHARD)).toEqual({ kind: 'at', sequenceNumber: last });
  world.stream.closeShard(SHARD);
  await world.clock.runUntil(() => world.checkpoint(SHARD)?.kind === 'finished');
  expect(world.invocations).toEqual([]);
  await world.stop();
});

it('keeps the checkpoint before a record that is not finished, whatever is left out after it', async () => {
  const { world, put } = filteredWorld({
    script: ({ records }, index) => {
      if (index === 0) throw new FunctionError();
      return index === 1 ? failing(...records) : null;
    },
    settings: { batchSize: 10, reportBatchItemFailures: true },
  });
  const before = put('{"temperature": 1}');
  put('{"temperature": 40}');
  put('{"temperature": 2}');
  world.start();
  await world.clock.runUntil(() => world.invocations.length === 1);
  expect(world.checkpoint(SHARD)).toEqual({ kind: 'at', sequenceNumber: before });
  await world.clock.runUntil(() => world.invocations.length === 3);
  await world.stop();
  expect(world.batches()).toEqual([
    ['{"temperature": 40}'],
    ['{"temperature": 40}'],
    ['{"temperature": 40}'],
  ]);
});
