import type { HashKeyRange } from './hash-key-range.ts';
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
