import {
  contains,
  HASH_KEY_MAX,
  openShardFor,
  type Shard,
  shardId,
  shardMap,
} from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** Open shards between random boundaries, listed in any order. */
const shards = fc
  .uniqueArray(fc.bigInt(1n, HASH_KEY_MAX), { maxLength: 40 })
  .map((cuts): Shard[] => {
    const starts = [0n, ...cuts.sort((a, b) => (a < b ? -1 : 1))];
    return starts.map((start, index) => ({
      shardId: shardId(`shardId-${index}`),
      hashKeyRange: { start, end: (starts[index + 1] ?? HASH_KEY_MAX + 1n) - 1n },
      isOpen: true,
    }));
  })
  .chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));

test('every key has one open shard, and it is the one that holds it', () => {
  fc.assert(
    fc.property(shards, fc.bigInt(0n, HASH_KEY_MAX), (list, key) => {
      const found = openShardFor(shardMap(list), key);
      expect(list.filter(({ hashKeyRange }) => contains(hashKeyRange, key))).toEqual([found]);
    }),
  );
});

test('a list that lacks any shard is no map', () => {
  fc.assert(
    fc.property(shards, fc.nat(), (list, pick) => {
      const without = list.filter((_, index) => index !== pick % list.length);
      expect(() => shardMap(without)).toThrow(RangeError);
    }),
  );
});
