import {
  type Shard,
  type ShardId,
  type ShardMap,
  toHashKeyHex,
  type UserRecord,
} from '@twinstream/stream-model';
import type { Lane, ShardQueue } from './lane.ts';
import { append, emptyQueue, first, takeFirst } from './queue.ts';
import { createShardLimiter, type ShardRates } from './shard-limiter.ts';

export function createShardQueue<R extends UserRecord>(
  shard: Shard,
  rates: ShardRates,
  nowMs: number,
): ShardQueue<R> {
  return {
    shard,
    explicitHashKey: shard.hashKeyRange.start.toString(),
    limiter: createShardLimiter(rates, nowMs),
    ready: emptyQueue(),
  };
}

export function makeReady<R extends UserRecord>(lane: Lane<R>): void {
  lane.state = 'ready';
  append(lane.home.ready, lane);
}

/** The lane whose turn it is, which stays in the queue. */
export function nextReadyLane<R extends UserRecord>(queue: ShardQueue<R>): Lane<R> | undefined {
  for (;;) {
    const lane = first(queue.ready);
    if (lane === undefined || (lane.state === 'ready' && lane.home === queue && !lane.isRetired)) return lane;
    takeFirst(queue.ready, 1);
  }
}

export function dropReadyLane<R extends UserRecord>(queue: ShardQueue<R>): void {
  takeFirst(queue.ready, 1);
}

/** The queues of the open shards of one map. */
export interface ShardQueues<R extends UserRecord> {
  readonly map: ShardMap;
  /** In the order of hash keys. */
  readonly list: readonly ShardQueue<R>[];
  /** Last hash key of each, in the same order, as 32 hexadecimal digits. */
  readonly rangeEnds: readonly string[];
  readonly byId: ReadonlyMap<ShardId, ShardQueue<R>>;
}

/** The queues for `map`; a shard that is in `before` too keeps its queue, with what its limiter has learned. */
export function shardQueuesFor<R extends UserRecord>(
  map: ShardMap,
  rates: ShardRates,
  nowMs: number,
  before?: ShardQueues<R>,
): ShardQueues<R> {
  const list = map.openShards.map((shard) => {
    const known = before?.byId.get(shard.shardId);
    return known !== undefined && isSameRange(known.shard, shard)
      ? known
      : createShardQueue<R>(shard, rates, nowMs);
  });
  const rangeEnds = list.map(({ shard }) => toHashKeyHex(shard.hashKeyRange.end));
  return { map, list, rangeEnds, byId: new Map(list.map((queue) => [queue.shard.shardId, queue])) };
}

/** A stream that was deleted and created again has the same shard ids, with other ranges. */
function isSameRange(a: Shard, b: Shard): boolean {
  return a.hashKeyRange.start === b.hashKeyRange.start && a.hashKeyRange.end === b.hashKeyRange.end;
}

/** The queue of the open shard that takes a hash key, given as 32 hexadecimal digits; found by bisection. */
export function shardQueueFor<R extends UserRecord>(queues: ShardQueues<R>, key: string): ShardQueue<R> {
  let low = 0;
  let high = queues.list.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const end = queues.rangeEnds[middle];
    if (end !== undefined && key > end) low = middle + 1;
    else high = middle;
  }
  const queue = queues.list[low];
  if (queue === undefined) throw new Error('a stream without open shards');
  return queue;
}
