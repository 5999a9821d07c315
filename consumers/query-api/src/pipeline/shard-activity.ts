import type { ShardLag } from '@twinstream/pipeline-status';
import type { Clock } from '@twinstream/runtime';
import { compareSequenceNumbers, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import type { ChangeFeed, ShardHints } from '../fleet/change-feed.ts';

/**
 * What is known of the shards from following them for another purpose: it costs the stream nothing. Undefined answers mean
 * that a shard is not followed, or not from where the question begins.
 */
export interface ShardActivity {
  /** The same feed, whose hints are looked at as they pass. */
  observe(feed: ChangeFeed): ChangeFeed;
  /** The lag of a consumer that has finished everything through `after`. */
  lag(shardId: ShardId, after: SequenceNumber | undefined): ShardLag | undefined;
  /** Records put into the shard per second, over the last ten. */
  recordsPerSecond(shardId: ShardId): number | undefined;
}

interface SeenRecord {
  readonly sequenceNumber: SequenceNumber;
  readonly arrivalTime: number;
}

interface FollowedShard {
  /** Everything behind it was seen, and what is not finished is kept. */
  from: SequenceNumber;
  followedSince: number;
  /** When the last poll began: what was put before then was seen. */
  pollTime: number;
  atTip: boolean;
  /** Behind the progress, in order. */
  readonly unfinished: SeenRecord[];
  /** Arrivals of the last seconds. */
  readonly arrivals: number[];
}

const RATE_MS = 10_000;
/** A rate over less says little. */
const RATE_MS_MIN = 2_000;
/** A shard that was not looked at for so long is not followed any more. */
const POLL_MS_MAX = 5_000;
const UNFINISHED_MAX = 100_000;

export function createShardActivity(clock: Clock): ShardActivity {
  const shards = new Map<ShardId, FollowedShard>();

  function note({ shardId, from, records, atTip }: ShardHints, pollTime: number): void {
    const now = clock.now();
    let shard = shards.get(shardId);
    if (shard === undefined || shard.from !== from || now - shard.pollTime > POLL_MS_MAX) {
      shard = { from, followedSince: now, pollTime, atTip, unfinished: [], arrivals: [] };
      shards.set(shardId, shard);
    }
    shard.pollTime = pollTime;
    shard.atTip = atTip;
    for (const { sequenceNumber, arrivalTime } of records) {
      shard.unfinished.push({ sequenceNumber, arrivalTime });
      if (arrivalTime > now - RATE_MS) shard.arrivals.push(arrivalTime);
    }
    if (shard.unfinished.length > UNFINISHED_MAX) shards.delete(shardId);
  }

  function followed(shardId: ShardId): FollowedShard | undefined {
    const shard = shards.get(shardId);
    return shard === undefined || clock.now() - shard.pollTime > POLL_MS_MAX ? undefined : shard;
  }

  return {
    observe: (feed) => ({
      restart: () => {
        shards.clear();
        feed.restart();
      },
      poll: async (progress, signal) => {
        const pollTime = clock.now();
        const hints = await feed.poll(progress, signal);
        for (const one of hints) note(one, pollTime);
        for (const [shardId, finished] of progress) forget(shards.get(shardId), finished);
        return hints;
      },
    }),
    lag: (shardId, after) => {
      const shard = followed(shardId);
      if (shard === undefined) return undefined;
      const isKnown =
        after === undefined ? isBeginning(shard.from) : compareSequenceNumbers(shard.from, after) <= 0;
      if (!isKnown) return undefined;
      forget(shard, after);
      const first = shard.unfinished[0];
      const asOf = shard.pollTime;
      if (first !== undefined) return { lagMs: Math.max(0, clock.now() - first.arrivalTime), asOf };
      return shard.atTip ? { lagMs: 0, asOf } : undefined;
    },
    recordsPerSecond: (shardId) => {
      const shard = followed(shardId);
      if (shard === undefined) return undefined;
      const now = clock.now();
      const followedMs = Math.min(now - shard.followedSince, RATE_MS);
      if (followedMs < RATE_MS_MIN) return undefined;
      const keep = shard.arrivals.findIndex((time) => time > now - RATE_MS);
      shard.arrivals.splice(0, keep < 0 ? shard.arrivals.length : keep);
      const counted = shard.arrivals.filter((time) => time > now - followedMs).length;
      return counted / (followedMs / 1_000);
    },
  };
}

function forget(shard: FollowedShard | undefined, finished: SequenceNumber | undefined): void {
  if (shard === undefined || finished === undefined) return;
  let count = 0;
  for (const { sequenceNumber } of shard.unfinished) {
    if (compareSequenceNumbers(sequenceNumber, finished) > 0) break;
    count += 1;
  }
  shard.unfinished.splice(0, count);
}

function isBeginning(number: SequenceNumber): boolean {
  return number === '0';
}
