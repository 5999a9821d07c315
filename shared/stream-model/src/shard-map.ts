import { HASH_KEY_MAX, type HashKeyRange } from './hash-key-range.ts';
import type { ShardId } from './shard-id.ts';

/** What a stream says about one of its shards. */
export interface Shard {
  readonly shardId: ShardId;
  readonly hashKeyRange: HashKeyRange;
  /** A closed shard takes no more records: it was split or merged. */
  readonly isOpen: boolean;
  readonly parentShardId?: ShardId;
  readonly adjacentParentShardId?: ShardId;
}

/** All shards of a stream as they were at one moment. */
export interface ShardMap {
  /** By hash-key range; together they hold every hash key exactly once. */
  readonly openShards: readonly Shard[];
  readonly shardsById: ReadonlyMap<ShardId, Shard>;
}

/**
 * The map of `shards`, which may come in any order. Throws RangeError when the open ones leave out a hash key or hold one
 * twice: then they were listed while the stream was being resharded, and must be listed again.
 */
export function shardMap(shards: readonly Shard[]): ShardMap {
  const openShards = shards
    .filter((shard) => shard.isOpen)
    .sort((a, b) => (a.hashKeyRange.start < b.hashKeyRange.start ? -1 : 1));
  let next = 0n;
  for (const { shardId, hashKeyRange } of openShards) {
    if (hashKeyRange.start !== next) {
      throw new RangeError(`${shardId} begins at hash key ${hashKeyRange.start} where ${next} is expected`);
    }
    next = hashKeyRange.end + 1n;
  }
  if (next !== HASH_KEY_MAX + 1n) throw new RangeError(`no open shard holds the hash keys from ${next}`);
  return { openShards, shardsById: new Map(shards.map((shard) => [shard.shardId, shard])) };
}

/** The open shard that takes records with this hash key (0 to 2^128 - 1), found by bisection. */
export function openShardFor(map: ShardMap, key: bigint): Shard {
  let low = 0;
  let high = map.openShards.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const shard = map.openShards[middle];
    if (shard !== undefined && key > shard.hashKeyRange.end) low = middle + 1;
    else high = middle;
  }
  const found = map.openShards[low];
  if (found === undefined || key < 0n || key > HASH_KEY_MAX) throw new RangeError(`not a hash key: ${key}`);
  return found;
}
