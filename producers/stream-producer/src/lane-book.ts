import {
  hashKeyHex,
  parseHashKey,
  type ShardId,
  type ShardMap,
  toHashKeyHex,
  type UserRecord,
} from '@twinstream/stream-model';
import type { PackedRecord } from './aggregator.ts';
import type { Lane, ShardQueue } from './lane.ts';
import type { PendingRecord } from './pending-record.ts';

/** What was found for the partition keys seen last. */
export interface RecentKeys<T> {
  get(partitionKey: string): T | undefined;
  set(partitionKey: string, value: T): void;
  clear(): void;
}

/** Power of two. Each slot holds one key, so memory is bounded by this many keys. */
const SLOT_COUNT = 65_536;
/** Characters that decide the slot: the last ones, because device ids mostly differ there. */
const SIGNIFICANT_CHARACTERS = 24;

/**
 * A direct-mapped cache: two keys of one slot drive each other out. A miss costs next to nothing, which a Map of the same
 * size does not offer when a fleet is larger than it.
 */
export function createRecentKeys<T>(): RecentKeys<T> {
  let keys: (string | undefined)[] = [];
  let values: (T | undefined)[] = [];

  function clear(): void {
    keys = new Array<string | undefined>(SLOT_COUNT).fill(undefined);
    values = new Array<T | undefined>(SLOT_COUNT).fill(undefined);
  }
  clear();

  return {
    get(partitionKey) {
      const slot = slotOf(partitionKey);
      return keys[slot] === partitionKey ? values[slot] : undefined;
    },
    set(partitionKey, value) {
      const slot = slotOf(partitionKey);
      keys[slot] = partitionKey;
      values[slot] = value;
    },
    clear,
  };
}

function slotOf(key: string): number {
  let mixed = key.length;
  for (let at = Math.max(0, key.length - SIGNIFICANT_CHARACTERS); at < key.length; at += 1) {
    mixed = (Math.imul(mixed, 31) + key.charCodeAt(at)) | 0;
  }
  return (mixed ^ (mixed >>> 16)) & (SLOT_COUNT - 1);
}

/**
 * Whether a stored Kinesis record lies where its records belong. `right`: it does. `wrong`: it landed in a known shard that
 * is not that of the records for which `isForeign`. `unknown`: the map must be read again before this can be decided.
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
  /** At least the bytes of what `pack` would return. */
  packedBytesMax(lane: Lane<R>): number;
  /** True when the lane has enough for a Kinesis record of full size. */
  isFull(lane: Lane<R>): boolean;
  /** `predicted`: the shard it was sent for. `wasMapReadSince`: the map was read after the answer came. */
  landing(lane: Lane<R>, predicted: ShardId, actual: ShardId, wasMapReadSince: boolean): Landing<R>;
  /** Installs a newer map. Lanes of closed shards retire and hand their unsent records to their successors. Returns the lanes to schedule. */
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
