import {
  openShardFor,
  type Shard,
  type ShardId,
  type ShardMap,
  type UserRecord,
} from '@twinstream/stream-model';
import type { ShardRates } from './shard-limiter.ts';
import { createShardQueue, type ShardQueue } from './shard-queue.ts';

/** The queues of the open shards of one map. */
export interface ShardQueues<R extends UserRecord> {
  readonly map: ShardMap;
  /** In the order of hash keys. */
  readonly list: readonly ShardQueue<R>[];
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
  return { map, list, byId: new Map(list.map((queue) => [queue.shard.shardId, queue])) };
}

/** A stream that was deleted and created again has the same shard ids, with other ranges. */
function isSameRange(a: Shard, b: Shard): boolean {
  return a.hashKeyRange.start === b.hashKeyRange.start && a.hashKeyRange.end === b.hashKeyRange.end;
}

export function shardQueueFor<R extends UserRecord>(queues: ShardQueues<R>, key: bigint): ShardQueue<R> {
  const { shardId } = openShardFor(queues.map, key);
  const queue = queues.byId.get(shardId);
  if (queue === undefined) throw new Error(`no queue for the open shard ${shardId}`);
  return queue;
}
