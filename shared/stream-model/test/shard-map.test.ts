import {
  evenRanges,
  HASH_KEY_MAX,
  openShardFor,
  type Shard,
  shardId,
  shardMap,
} from '@twinstream/stream-model';
import { expect, test } from 'vitest';

const shard = (number: number, start: bigint, end: bigint, isOpen = true): Shard => ({
  shardId: shardId(`shardId-${number}`),
  hashKeyRange: { start, end },
  isOpen,
});

test('a key goes to the open shard that holds it, at both ends of each range', () => {
  const shards = evenRanges(5).map(({ start, end }, index) => shard(index, start, end));
  const map = shardMap([...shards].reverse());
  for (const { shardId: id, hashKeyRange } of shards) {
    expect(openShardFor(map, hashKeyRange.start).shardId).toBe(id);
    expect(openShardFor(map, hashKeyRange.end).shardId).toBe(id);
  }
});

test('a closed shard takes no key, and is known by its id', () => {
  const parent = shard(0, 0n, HASH_KEY_MAX, false);
  const map = shardMap([parent, shard(2, 100n, HASH_KEY_MAX), shard(1, 0n, 99n)]);
  expect(map.openShards.map(({ shardId: id }) => id)).toEqual(['shardId-1', 'shardId-2']);
  expect(map.shardsById.get(parent.shardId)).toBe(parent);
  expect(openShardFor(map, 99n).shardId).toBe('shardId-1');
  expect(openShardFor(map, 100n).shardId).toBe('shardId-2');
});

test.each([
  ['no shards', []],
  ['closed shards only', [shard(0, 0n, HASH_KEY_MAX, false)]],
  ['a gap at the start', [shard(0, 1n, HASH_KEY_MAX)]],
  ['a gap at the end', [shard(0, 0n, HASH_KEY_MAX - 1n)]],
  ['a gap between', [shard(0, 0n, 9n), shard(1, 11n, HASH_KEY_MAX)]],
  ['an overlap', [shard(0, 0n, 10n), shard(1, 10n, HASH_KEY_MAX)]],
  [
    'a parent beside its children',
    [shard(0, 0n, HASH_KEY_MAX), shard(1, 0n, 9n), shard(2, 10n, HASH_KEY_MAX)],
  ],
])('%s are no map', (_, shards) => {
  expect(() => shardMap(shards)).toThrow(RangeError);
});

test.each([-1n, HASH_KEY_MAX + 1n])('%s is no hash key', (key) => {
  expect(() => openShardFor(shardMap([shard(0, 0n, HASH_KEY_MAX)]), key)).toThrow(RangeError);
});
