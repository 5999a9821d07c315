import {
  contains,
  type HashKeyRange,
  hashKeyHex,
  type ShardId,
  type ShardMap,
  type UserRecord,
} from '@twinstream/stream-model';
import {
  AGGREGATE_LANE_KEY_BYTES,
  AGGREGATE_LANES_PER_SHARD,
  aggregateLaneKey,
  laneOfHashKey,
} from './aggregate-lane-key.ts';
import { type AggregatorOptions, createAggregator } from './aggregator.ts';
import {
  AGGREGATED_RECORD_OVERHEAD_BYTES,
  appendToLane,
  createLane,
  isBlocked,
  type Lane,
  takeUnsent,
} from './lane.ts';
import { type Landing, type LaneBook, routingKey } from './lane-book.ts';
import { first, queueSize } from './queue.ts';
import { createRecentKeys } from './recent-keys.ts';
import type { ShardRates } from './shard-limiter.ts';
import type { ShardQueue } from './shard-queue.ts';
import { shardQueueFor, shardQueuesFor } from './shard-queues.ts';

/** More than magic, MD5, and the rounding of lengths. */
const ENVELOPE_MARGIN_BYTES = 32;

/**
 * Lanes with aggregation: {@link AGGREGATE_LANES_PER_SHARD} for each open shard. A record's shard follows from its hash
 * key, and its lane within the shard from its partition key alone.
 *
 * When a shard closes, its lanes retire: they hand what they have not sent to the lanes of the shards that took over the
 * hash keys, and those are blocked until what the retired lanes have on their way is settled. So no record of a device
 * overtakes another when the device moves.
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

  /** Takes a lane out of service. Gives what it has not sent. */
  function retire(lane: Lane<R>, index: number): void {
    lane.isRetired = true;
    const unsettled = new Set(lane.blockers);
    for (const blocker of lane.blockers ?? []) blocker.dependents?.delete(lane);
    lane.blockers = undefined;
    if (lane.sentCount > 0) {
      unsettled.add(lane);
      retired.add(lane);
    }
    for (const home of queues.list) {
      if (!overlaps(home.shard.hashKeyRange, lane.home.shard.hashKeyRange)) continue;
      const heir = lanesOf.get(home)?.[index];
      if (heir === undefined) throw new Error(`no lane ${index} in ${home.shard.shardId}`);
      for (const blocker of unsettled) block(heir, blocker);
    }
  }

  function install(map: ShardMap, atMs: number): readonly Lane<R>[] {
    const closing = queues;
    const before = lanesOf;
    queues = shardQueuesFor(map, rates, atMs, closing);
    lanesOf = lanesFor(queues.list, before);
    recent.clear();
    const touched = new Set<Lane<R>>();
    for (const home of closing.list) {
      if (lanesOf.has(home)) continue;
      for (const [index, lane] of (before.get(home) ?? []).entries()) {
        retire(lane, index);
        for (const pending of takeUnsent(lane)) {
          const heir = laneFor(pending.record);
          appendToLane(heir, pending);
          touched.add(heir);
        }
      }
    }
    return [...touched];
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
