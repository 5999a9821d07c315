import { compareSequenceNumbers, type SequenceNumber } from './sequence-number.ts';
import type { ShardId } from './shard-id.ts';

/** Place of one event in a stream. `subSequenceNumber` is its index inside an aggregated record, counting every entry, valid or not; 0 in a plain record; above those of all entries for one of several events that a mapping makes of an entry. */
export interface Position {
  readonly shardId: ShardId;
  readonly sequenceNumber: SequenceNumber;
  readonly subSequenceNumber: number;
}

/** The part of a position that orders events within one shard. */
export type ShardPosition = Omit<Position, 'shardId'>;

/** Order of two positions that are known to lie in one shard: negative when `a` came first. */
export function compareWithinShard(a: ShardPosition, b: ShardPosition): number {
  return (
    compareSequenceNumbers(a.sequenceNumber, b.sequenceNumber) || a.subSequenceNumber - b.subSequenceNumber
  );
}

/** Order of positions of a stream: by shard, then as {@link compareWithinShard}. */
export function comparePositions(a: Position, b: Position): number {
  if (a.shardId !== b.shardId) return a.shardId < b.shardId ? -1 : 1;
  return compareWithinShard(a, b);
}

/** Text that identifies a position in its stream. */
export function positionKey(position: Position): string {
  return `${position.shardId}:${position.sequenceNumber}:${position.subSequenceNumber}`;
}
