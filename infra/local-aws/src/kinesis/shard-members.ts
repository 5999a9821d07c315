import { hashKeyOf } from './hash-key-text.ts';
import { text } from './request-shape.ts';
import { endingSequenceNumber, type Shard, shardIdOf, startingSequenceNumber } from './stream.ts';
import type { Members } from './wire-format.ts';

/** API reference, ShardId (read 2026-11). */
export const SHARD_ID = text({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.-]+' });

export function hashKeyRangeMembers({ hashStart, hashEnd }: Shard): Members {
  return { StartingHashKey: hashKeyOf(hashStart).toString(), EndingHashKey: hashKeyOf(hashEnd).toString() };
}

/** Shard of the API. */
export function shardMembers(shard: Shard): Members {
  const { parentIndex, adjacentParentIndex } = shard;
  return {
    ShardId: shard.id,
    ParentShardId: parentIndex === undefined ? undefined : shardIdOf(parentIndex),
    AdjacentParentShardId: adjacentParentIndex === undefined ? undefined : shardIdOf(adjacentParentIndex),
    HashKeyRange: hashKeyRangeMembers(shard),
    SequenceNumberRange: {
      StartingSequenceNumber: startingSequenceNumber(shard),
      EndingSequenceNumber: endingSequenceNumber(shard),
    },
  };
}
