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
  /** Records of the shard that were processed per second, over the last ten. */
  processedPerSecond(shardId: ShardId): number | undefined;
}

interface SeenRecord {
  readonly sequenceNumber: SequenceNumber;
  readonly arrivalTime: number;
}

interface ProcessedRecords {
  readonly time: number;
  readonly count: number;
}

interface FollowedShard {
  /** Everything after it was seen, and what is not finished is kept. */
  from: SequenceNumber;
  followedSince: number;
  /** When the last poll began: what was put before then was seen. */
  pollTime: number;
  atTip: boolean;
  /** Behind the progress, in order. */
  readonly unfinished: SeenRecord[];
  /** Arrivals of the last seconds. */
  readonly arrivals: number[];
  /** Records that were found processed within the last seconds, and when. */
  readonly processed: ProcessedRecords[];
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
      shard = { from, followedSince: now, pollTime, atTip, unfinished: [], arrivals: [], processed: [] };
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
      restart: (from) => {
        shards.clear();
        feed.restart(from);
      },
      poll: async (progress, signal) => {
        const pollTime = clock.now();
        const hints = await feed.poll(progress, signal);
        for (const one of hints) note(one, pollTime);
        for (const [shardId, finished] of progress) forget(shards.get(shardId), finished, clock.now());
        return hints;
      },
    }),
    lag: (shardId, after) => {
      const shard = followed(shardId);
      if (shard === undefined) return undefined;
      const isKnown =
        after === undefined ? isBeginning(shard.from) : compareSequenceNumbers(shard.from, after) <= 0;
      if (!isKnown) return undefined;
      forget(shard, after, clock.now());
      const first = shard.unfinished[0];
      const asOf = shard.pollTime;
      const records = { count: shard.unfinished.length, hasMore: !shard.atTip };
      if (first !== undefined) return { lagMs: Math.max(0, clock.now() - first.arrivalTime), asOf, records };
      return shard.atTip ? { lagMs: 0, asOf, records } : undefined;
    },
    recordsPerSecond: (shardId) => {
      const shard = followed(shardId);
      const followedMs = shard && rateMs(shard);
      if (shard === undefined || followedMs === undefined) return undefined;
      const now = clock.now();
      const keep = shard.arrivals.findIndex((time) => time > now - RATE_MS);
      shard.arrivals.splice(0, keep < 0 ? shard.arrivals.length : keep);
      const counted = shard.arrivals.filter((time) => time > now - followedMs).length;
      return counted / (followedMs / 1_000);
    },
    processedPerSecond: (shardId) => {
      const shard = followed(shardId);
      const followedMs = shard && rateMs(shard);
      if (shard === undefined || followedMs === undefined) return undefined;
      dropOld(shard.processed, clock.now());
      return shard.processed.reduce((sum, { count }) => sum + count, 0) / (followedMs / 1_000);
    },
  };

  /** Over how long a rate can be told; undefined where that is too short. */
  function rateMs({ followedSince }: FollowedShard): number | undefined {
    const followedMs = Math.min(clock.now() - followedSince, RATE_MS);
    return followedMs < RATE_MS_MIN ? undefined : followedMs;
  }
}

function dropOld(processed: ProcessedRecords[], now: number): void {
  const keep = processed.findIndex(({ time }) => time > now - RATE_MS);
  processed.splice(0, keep < 0 ? processed.length : keep);
}

function forget(shard: FollowedShard | undefined, finished: SequenceNumber | undefined, now: number): void {
  if (shard === undefined || finished === undefined) return;
  let count = 0;
  for (const { sequenceNumber } of shard.unfinished) {
    if (compareSequenceNumbers(sequenceNumber, finished) > 0) break;
    count += 1;
  }
  shard.unfinished.splice(0, count);
  if (count === 0) return;
  dropOld(shard.processed, now);
  shard.processed.push({ time: now, count });
}

function isBeginning(number: SequenceNumber): boolean {
  return number === '0';
}
