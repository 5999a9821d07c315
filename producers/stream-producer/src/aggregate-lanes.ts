import {
  contains,
  type HashKeyRange,
  hashKeyHex,
  type ShardId,
  type ShardMap,
  type UserRecord,
} from '@twinstream/stream-model';
import { type AggregatorOptions, createAggregator } from './aggregator.ts';
import {
  AGGREGATED_RECORD_OVERHEAD_BYTES,
  appendToLane,
  createLane,
  isBlocked,
  type Lane,
  type ShardQueue,
  takeUnsent,
} from './lane.ts';
import { createRecentKeys, type Landing, type LaneBook, routingKey } from './lane-book.ts';
import { first, queueSize } from './queue.ts';
import type { ShardRates } from './shard-limiter.ts';
import { shardQueueFor, shardQueuesFor } from './shard-queues.ts';

/**
 * Lanes of each shard when records are aggregated.
 *
 * This number and the names below are no option: the lane of a device depends on nothing but its partition key, so that
 * every aggregated record that carries a device has the same outer partition key, whichever producer sends it and whatever
 * shards come and go. Only then may a consumer take a shard's partition keys apart (Lambda's parallelization factor, 1–10)
 * without losing the order of a device. Changing it breaks that rule until the shards written before have been read.
 */
export const AGGREGATE_LANES_PER_SHARD = 16;

/** Which lane of its shard a device is in: the last hexadecimal digit of its hash key; the shard is chosen by the first ones. */
export function aggregateLaneIndex(partitionKey: string): number {
  return laneOfHashKey(hashKeyHex(partitionKey));
}

/** The same from the hash key of the partition key, as 32 hexadecimal digits. */
export function laneOfHashKey(key: string): number {
  return Number.parseInt(key.slice(-1), 16);
}

/** Outer partition key of the records of a lane: `lane-00` to `lane-15`. */
export function aggregateLaneKey(index: number): string {
  return `lane-${String(index).padStart(2, '0')}`;
}

export const AGGREGATE_LANE_KEY_BYTES = 'lane-00'.length;

/** More than magic, MD5, and the rounding of lengths. */
const ENVELOPE_MARGIN_BYTES = 32;

/**
 * Lanes with aggregation: {@link AGGREGATE_LANES_PER_SHARD} for each open shard. A record's shard follows from its hash
 * key, and its lane within the shard from its partition key alone.
 *
 * When a shard closes, its lanes retire. Each hands its unsent records to the successor lanes: those of the shards that took
 * over its hash keys. A successor is blocked until the records that the retired lane has in flight are settled, so the
 * records of a device stay in order while the device moves.
 */
export function createAggregateLanes<R extends UserRecord>(
  firstMap: ShardMap,
  rates: ShardRates,
  limits: Omit<AggregatorOptions, 'outerKeyBytes'>,
  nowMs: number,
): LaneBook<R> {
  const aggregator = createAggregator<R>({ ...limits, outerKeyBytes: AGGREGATE_LANE_KEY_BYTES });
  let queues = shardQueuesFor<R>(firstMap, rates, nowMs);
  let lanesOf = lanesFor(queues.list);
  const recent = createRecentKeys<Lane<R>>();
  const retired = new Set<Lane<R>>();

  function find(record: UserRecord): Lane<R> {
    const key = hashKeyHex(record.partitionKey);
    const home = shardQueueFor(queues, record.explicitHashKey === undefined ? key : routingKey(record));
    const lane = lanesOf.get(home)?.[laneOfHashKey(key)];
    if (lane === undefined) throw new Error(`no lane for a record of ${home.shard.shardId}`);
    return lane;
  }

  function laneFor(record: UserRecord): Lane<R> {
    // An explicit hash key decides the shard, whatever other records of the same partition key do.
    if (record.explicitHashKey !== undefined) return find(record);
    const known = recent.get(record.partitionKey);
    if (known !== undefined) return known;
    const lane = find(record);
    recent.set(record.partitionKey, lane);
    return lane;
  }

  /** Takes a lane out of service. Returns the lanes whose records in flight come before all that its successors send. */
  function retire(lane: Lane<R>): ReadonlySet<Lane<R>> {
    const unsettled = new Set(lane.blockers);
    for (const blocker of unsettled) blocker.dependents?.delete(lane);
    lane.blockers = undefined;
    lane.isRetired = true;
    if (lane.sentCount > 0) {
      unsettled.add(lane);
      retired.add(lane);
    }
    return unsettled;
  }

  /** The lanes of this number in the shards that hold hash keys of a closed one now. */
  function successorsOf({ shard: closed }: ShardQueue<R>, index: number): readonly Lane<R>[] {
    return queues.list
      .filter(({ shard }) => overlaps(shard.hashKeyRange, closed.hashKeyRange))
      .map((home) => {
        const successor = lanesOf.get(home)?.[index];
        if (successor === undefined) throw new Error(`no lane ${index} in ${home.shard.shardId}`);
        return successor;
      });
  }

  function install(map: ShardMap, atMs: number): readonly Lane<R>[] {
    const before = lanesOf;
    queues = shardQueuesFor(map, rates, atMs, queues);
    lanesOf = lanesFor(queues.list, before);
    recent.clear();
    const grown = new Set<Lane<R>>();
    for (const [home, lanes] of before) {
      if (lanesOf.has(home)) continue;
      for (const [index, lane] of lanes.entries()) {
        const unsettled = retire(lane);
        for (const successor of successorsOf(home, index)) {
          for (const blocker of unsettled) block(successor, blocker);
        }
        for (const pending of takeUnsent(lane)) {
          const successor = laneFor(pending.record);
          appendToLane(successor, pending);
          grown.add(successor);
        }
      }
    }
    return [...grown];
  }

  function landing(lane: Lane<R>, predicted: ShardId, actual: ShardId, wasMapReadSince: boolean): Landing<R> {
    if (actual === predicted) return { status: 'right', isMapOutdated: false };
    const shard = queues.map.shardsById.get(actual);
    // While the lane is in service the map knows nothing of a reshard that could explain the answer.
    if (shard === undefined || (!wasMapReadSince && !lane.isRetired)) return { status: 'unknown' };
    return {
      status: 'wrong',
      isForeign: (pending) => !contains(shard.hashKeyRange, BigInt(`0x${routingKey(pending.record)}`)),
    };
  }

  function* lanes(): Iterable<Lane<R>> {
    yield* retired;
    for (const home of queues.list) yield* lanesOf.get(home) ?? [];
  }

  return {
    laneFor,
    pack: aggregator,
    packedBytesMax(lane) {
      const single = (first(lane.queue)?.bytes ?? 0) + AGGREGATED_RECORD_OVERHEAD_BYTES;
      const content = Math.min(lane.queuedBytes, Math.max(limits.aggregateBytesMax, single));
      return Math.min(content + ENVELOPE_MARGIN_BYTES + AGGREGATE_LANE_KEY_BYTES, limits.recordBytesMax);
    },
    isFull: (lane) =>
      lane.queuedBytes >= limits.aggregateBytesMax || queueSize(lane.queue) >= limits.aggregateRecordsMax,
    landing,
    install,
    get shardQueues() {
      return queues.list;
    },
    lanes,
    drop(lane) {
      retired.delete(lane);
    },
  };
}

type LanesOf<R extends UserRecord> = ReadonlyMap<ShardQueue<R>, readonly Lane<R>[]>;

function lanesFor<R extends UserRecord>(homes: readonly ShardQueue<R>[], before?: LanesOf<R>): LanesOf<R> {
  const fresh = (home: ShardQueue<R>): Lane<R>[] =>
    Array.from({ length: AGGREGATE_LANES_PER_SHARD }, (_, index) =>
      createLane(aggregateLaneKey(index), home),
    );
  return new Map(homes.map((home) => [home, before?.get(home) ?? fresh(home)]));
}

function block<R extends UserRecord>(lane: Lane<R>, blocker: Lane<R>): void {
  if (lane.sentCount > 0 || isBusyElsewhere(lane)) {
    throw new Error(`lane ${lane.partitionKey} of ${lane.home.shard.shardId} was blocked while in use`);
  }
  lane.blockers ??= new Set();
  lane.blockers.add(blocker);
  blocker.dependents ??= new Set();
  blocker.dependents.add(lane);
  lane.state = 'blocked';
}

/** A lane takes over devices before it has ever been used, or while others block it. */
function isBusyElsewhere<R extends UserRecord>(lane: Lane<R>): boolean {
  return lane.state !== 'idle' && !isBlocked(lane);
}

function overlaps(a: HashKeyRange, b: HashKeyRange): boolean {
  return a.start <= b.end && b.start <= a.end;
}
