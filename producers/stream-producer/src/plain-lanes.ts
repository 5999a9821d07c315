import type { ShardMap, UserRecord } from '@twinstream/stream-model';
import { createLane, type Lane } from './lane.ts';
import { type LaneBook, routingKey } from './lane-book.ts';
import { first } from './queue.ts';
import type { ShardRates } from './shard-limiter.ts';
import { makeReady, shardQueueFor, shardQueuesFor } from './shard-queues.ts';

/**
 * Lanes without aggregation: one for each partition key that has something to send, so that a request carries up to 500
 * devices, one record each. A lane lasts while it holds records.
 *
 * The stream itself routes such a record, by its partition key, to the shard where it belongs. So a lane never moves: the
 * shard that is predicted for it only serves the limiter, and a wrong prediction harms nothing.
 */
export function createPlainLanes<R extends UserRecord>(
  firstMap: ShardMap,
  rates: ShardRates,
  nowMs: number,
): LaneBook<R> {
  let queues = shardQueuesFor<R>(firstMap, rates, nowMs);
  const lanes = new Map<string, Lane<R>>();

  return {
    laneFor(record) {
      const known = lanes.get(record.partitionKey);
      if (known !== undefined) return known;
      const lane = createLane(record.partitionKey, shardQueueFor(queues, routingKey(record)));
      lanes.set(record.partitionKey, lane);
      return lane;
    },
    pack(lane) {
      const pending = first(lane.queue);
      if (pending === undefined) throw new Error('a lane without records was packed');
      const { partitionKey, explicitHashKey, data } = pending.record;
      const transport =
        explicitHashKey === undefined ? { partitionKey, data } : { partitionKey, explicitHashKey, data };
      return { transport, count: 1, bytes: data.length + Buffer.byteLength(partitionKey) };
    },
    packedBytesMax: (lane) => first(lane.queue)?.bytes ?? 0,
    /** A request fills with the records of other lanes, never with the next record of the same lane. */
    isFull: () => false,
    landing(lane, predicted, actual) {
      const isExplained = actual === predicted || actual === lane.home.shard.shardId;
      return { status: 'right', isMapOutdated: !isExplained };
    },
    install(map, atMs) {
      queues = shardQueuesFor(map, rates, atMs, queues);
      for (const lane of lanes.values()) {
        const pending = first(lane.queue);
        if (pending === undefined) continue;
        const home = shardQueueFor(queues, routingKey(pending.record));
        if (home === lane.home) continue;
        lane.home = home;
        if (lane.state === 'ready') makeReady(lane);
      }
      return [];
    },
    get shardQueues() {
      return queues.list;
    },
    lanes: () => lanes.values(),
    drop(lane) {
      lanes.delete(lane.partitionKey);
    },
  };
}
