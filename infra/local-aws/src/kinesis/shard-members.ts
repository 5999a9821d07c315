import { hashKeyOf } from './hash-key-text.ts';
import { text } from './request-shape.ts';
import { endingSequenceNumber, type Shard, shardIdOf, startingSequenceNumber } from './stream.ts';
import type { Members } from './wire-format.ts';

/** API reference, ShardId (read 2026-11). */
export const SHARD_ID = text({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.-]+' });

const ABBREVIATED = /^(?:shardId-)?(\d{1,12})$/;

/**
 * The whole id of a shard. AWS takes abbreviations, too: `0`, `shardId-0` and `shardId-000000000000` are one (kinesalite
 * 3.3.3, made from answers of AWS, read 2026-11). Anything else comes back as it is.
 */
export function fullShardId(id: string): string {
  const index = ABBREVIATED.exec(id)?.[1];
  return index === undefined ? id : shardIdOf(Number(index));
}

function hashKeyRangeMembers({ hashStart, hashEnd }: Shard): Members {
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

/** ChildShard of the API: what a reader needs to go on where its shard ended. */
export function childShardMembers(child: Shard): Members {
  const parents = [child.parentIndex, child.adjacentParentIndex].filter((index) => index !== undefined);
  return {
    ShardId: child.id,
    ParentShards: parents.map(shardIdOf),
    HashKeyRange: hashKeyRangeMembers(child),
  };
}
