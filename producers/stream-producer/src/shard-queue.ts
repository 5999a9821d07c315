import type { Shard, UserRecord } from '@twinstream/stream-model';
import type { Lane } from './lane.ts';
import { append, emptyQueue, first, type Queue, takeFirst } from './queue.ts';
import { createShardLimiter, type ShardLimiter, type ShardRates } from './shard-limiter.ts';

/** An open shard as the producer sees it: what it may take, and which lanes have something ready for it. */
export interface ShardQueue<R extends UserRecord> {
  readonly shard: Shard;
  /** A decimal hash key inside the shard. */
  readonly explicitHashKey: string;
  readonly limiter: ShardLimiter;
  /** May hold lanes that are no longer ready or have moved; {@link nextReadyLane} drops them. */
  readonly ready: Queue<Lane<R>>;
}

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
