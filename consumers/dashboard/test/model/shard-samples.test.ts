import type { PipelineStatus, ShardStatus } from '@twinstream/api-contract';
import { expect, test } from 'vitest';
import {
  columnsOf,
  SAMPLES_MAX,
  type ShardSample,
  sampleOf,
  shardName,
  withSample,
} from '../../src/model/shard-samples.ts';

const pipeline = (shards: ShardStatus[]): Pick<PipelineStatus, 'shards'> => ({ shards });
const UNMEASURED = {
  state: 'OPEN',
  lagMs: null,
  recordsPerSecond: null,
  processedPerSecond: null,
  backlogRecords: null,
  finishedThrough: null,
} as const;

test('a shard that was not measured at a moment has a gap there', () => {
  const samples = [
    sampleOf(pipeline([{ ...UNMEASURED, shardId: 'a', lagMs: 5 }]), 1_000),
    sampleOf(
      pipeline([
        { ...UNMEASURED, shardId: 'a', state: 'CLOSED' },
        { ...UNMEASURED, shardId: 'b', lagMs: 7 },
      ]),
      3_000,
    ),
  ];
  expect(columnsOf(samples, ['a', 'b'], 'lagMs')).toEqual([
    [1, 3],
    [5, null],
    [null, 7],
  ]);
});

test('the oldest sample gives way to the newest', () => {
  let samples: readonly ShardSample[] = [];
  for (let time = 0; time < SAMPLES_MAX + 3; time += 1)
    samples = withSample(samples, sampleOf(pipeline([]), time));
  expect(samples).toHaveLength(SAMPLES_MAX);
  expect(samples[0]?.time).toBe(3);
});

test('a shard is called by its number', () => {
  expect(shardName('shardId-000000000012')).toBe('12');
  expect(shardName('shardId-000000000000')).toBe('0');
  expect(shardName('other')).toBe('other');
});
