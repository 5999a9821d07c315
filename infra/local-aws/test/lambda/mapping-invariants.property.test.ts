import { virtualClock } from '@twinstream/test-kit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Checkpoint, memoryCheckpointStore } from '../../src/lambda/checkpoint.ts';
import {
  FunctionError,
  failing,
  mappingWorld,
  type SeenRecord,
  Unavailable,
  type World,
} from './mapping-world.ts';
import { memoryStream } from './memory-stream.ts';

// Parents of each shard: a split, a merge, and shards of their own.
const LINEAGE: readonly (readonly [string, readonly string[]])[] = [
  ['shardId-000000000000', []],
  ['shardId-000000000001', []],
  ['shardId-000000000002', ['shardId-000000000000']],
  ['shardId-000000000003', ['shardId-000000000000']],
  ['shardId-000000000004', ['shardId-000000000001', 'shardId-000000000002']],
];

type Fate = 'success' | 'partial' | 'error' | 'unavailable' | 'nonsense';

const scenario = fc.record({
  records: fc.array(fc.record({ shard: fc.nat(4), key: fc.nat(5) }), { minLength: 1, maxLength: 60 }),
  fates: fc.array(
    fc.record({
      fate: fc.constantFrom<Fate>('success', 'success', 'partial', 'error', 'unavailable', 'nonsense'),
      at: fc.nat(20),
      tookMs: fc.nat(2_000),
    }),
    { minLength: 1, maxLength: 40 },
  ),
  batchSize: fc.integer({ min: 1, max: 12 }),
  batchingWindowMs: fc.constantFrom(0, 200, 3_000),
  parallelizationFactor: fc.integer({ min: 1, max: 3 }),
  bisectBatchOnFunctionError: fc.boolean(),
  retryAttemptsMax: fc.constantFrom(-1, 0, 2),
  recordsPerRead: fc.integer({ min: 1, max: 20 }),
  /** Stops and starts again after so many invocations. */
  restartAfter: fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 3 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** Lets time pass until nothing is under way any more. */
async function stopped(world: World): Promise<void> {
  let done = false;
  const stopping = world.stop().finally(() => {
    done = true;
  });
  await world.clock.runUntil(() => done);
  await stopping;
}

/** Checks every invocation and every checkpoint against what is finished by then. */
async function run(plan: Scenario): Promise<void> {
  const clock = virtualClock();
  const stream = memoryStream(clock, plan.recordsPerRead);
  const perShard = new Map<string, string[]>();
  for (const [shard, parents] of LINEAGE) {
    stream.addShard(shard, parents);
    perShard.set(shard, []);
  }
  plan.records.forEach(({ shard, key }, index) => {
    const name = LINEAGE[shard]?.[0] ?? '';
    perShard.get(name)?.push(stream.put(name, `key-${key}`, String(index)));
  });
  const done = new Set<string>();
  const violations: string[] = [];
  const store = memoryCheckpointStore();
  const checkpoints = {
    ...store,
    save: (...[shardId, checkpoint]: [Parameters<typeof store.save>[0], Checkpoint]) => {
      const numbers = perShard.get(shardId) ?? [];
      const last = checkpoint.kind === 'at' ? numbers.indexOf(checkpoint.sequenceNumber) : numbers.length - 1;
      if (numbers.slice(0, last + 1).some((number) => !done.has(number))) violations.push(`${shardId} ahead`);
      store.save(shardId, checkpoint);
    },
  };

  let call = 0;
  let world: World;
  const startWorld = () => {
    const busy = new Set<string>();
    const newest = new Map<string, number>();
    const finish = (records: readonly SeenRecord[]) => {
      for (const { sequenceNumber, partitionKey, shardId, text } of records) {
        // Of one key in one shard, nothing older is finished after something newer, within one run.
        const lane = `${shardId}/${partitionKey}`;
        expect(Number(text)).toBeGreaterThan(newest.get(lane) ?? -1);
        newest.set(lane, Number(text));
        done.add(sequenceNumber);
      }
    };
    world = mappingWorld({
      clock,
      stream,
      checkpoints,
      settings: { ...plan, reportBatchItemFailures: true },
      script: async ({ records }) => {
        const [first] = records;
        const keys = new Set(records.map(({ partitionKey, shardId }) => `${shardId}/${partitionKey}`));
        expect([...keys].filter((key) => busy.has(key))).toEqual([]);
        const parents = LINEAGE.find(([shard]) => shard === first?.shardId)?.[1] ?? [];
        for (const parent of parents) {
          expect((perShard.get(parent) ?? []).filter((number) => !done.has(number))).toEqual([]);
        }
        const { fate, at, tookMs } = plan.fates[call++ % plan.fates.length] ?? {
          fate: 'success',
          at: 0,
          tookMs: 0,
        };
        // A function that never succeeds would retry for ever.
        const effective = call > 100 ? 'success' : fate;
        for (const key of keys) busy.add(key);
        await clock.sleep(tookMs);
        for (const key of keys) busy.delete(key);
        switch (effective) {
          case 'error':
            throw new FunctionError();
          case 'unavailable':
            throw new Unavailable();
          case 'nonsense':
            return { batchItemFailures: [{ itemIdentifier: 'nonsense' }] };
          case 'partial': {
            const from = at % records.length;
            finish(records.slice(0, from));
            return failing(...records.slice(from));
          }
          case 'success':
            finish(records);
            return {};
        }
      },
      onDiscard: ({ records }) => {
        for (const { record } of records) done.add(record.sequenceNumber);
      },
    });
    world.start();
    return world;
  };

  world = startWorld();
  for (const count of plan.restartAfter) {
    const current = world;
    const target = call + count;
    await clock.runUntil(() => call >= target || done.size === plan.records.length);
    await stopped(current);
    startWorld();
  }
  await clock.runUntil(() =>
    LINEAGE.slice(0, 3).every(([shard]) => world.checkpoint(shard)?.kind === 'finished'),
  );
  await clock.runUntil(() => done.size === plan.records.length);
  await stopped(world);
  expect(violations).toEqual([]);
}

it('finishes every record, in order per key, parents first, and never puts a checkpoint past unfinished work', async () => {
  await fc.assert(fc.asyncProperty(scenario, run), { numRuns: 100 });
});
