import {
  hashKeyHex,
  parseHashKey,
  type ShardId,
  type ShardMap,
  toHashKeyHex,
  type UserRecord,
} from '@twinstream/stream-model';
import type { PackedRecord } from './aggregator.ts';
import type { Lane, PendingRecord } from './lane.ts';
import type { ShardQueue } from './shard-queue.ts';

/**
 * Whether a stored Kinesis record lies where its records belong. `right`: it does. `wrong`: it landed in a known shard that
 * is not that of the records for which `isForeign`. `unknown`: the map must be read again before anybody can say.
 */
export type Landing<R extends UserRecord> =
  | { readonly status: 'right'; readonly isMapOutdated: boolean }
  | { readonly status: 'wrong'; readonly isForeign: (pending: PendingRecord<R>) => boolean }
  | { readonly status: 'unknown' };

/** Which lane a record goes to, and what a lane sends. One implementation without aggregation, one with. */
export interface LaneBook<R extends UserRecord> {
  laneFor(record: R): Lane<R>;
  /** The next Kinesis record of a lane whose queue is not empty. */
  pack(lane: Lane<R>, countMax: number): PackedRecord;
  /** No less than the bytes of what `pack` would give. */
  packedBytesMax(lane: Lane<R>): number;
  /** True when the lane has enough for a Kinesis record of full size. */
  isFull(lane: Lane<R>): boolean;
  /** `predicted`: the shard it was sent for. `wasMapReadSince`: the map was read after the answer came. */
  landing(lane: Lane<R>, predicted: ShardId, actual: ShardId, wasMapReadSince: boolean): Landing<R>;
  /** Takes over a newer map. Lanes of closed shards retire and hand on what they have not sent. Gives the lanes to schedule. */
  install(map: ShardMap, nowMs: number): readonly Lane<R>[];
  readonly shardQueues: readonly ShardQueue<R>[];
  /** All lanes that hold records. Retired ones come first: what a lane took over was put after what they have on their way. */
  lanes(): Iterable<Lane<R>>;
  /** Forgets a lane that is empty and idle, or retired and settled. */
  drop(lane: Lane<R>): void;
}

/** Decides the shard of a record: its hash key as 32 hexadecimal digits. */
export function routingKey(record: UserRecord): string {
  const explicit = record.explicitHashKey === undefined ? undefined : parseHashKey(record.explicitHashKey);
  return explicit === undefined ? hashKeyHex(record.partitionKey) : toHashKeyHex(explicit);
}
