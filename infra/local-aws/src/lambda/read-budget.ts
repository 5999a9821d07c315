import { GET_RECORDS_CALLS_PER_SECOND, type ShardId } from '@twinstream/stream-model';

/** One call a second of each shard is left to others: replay, tools, the query API. */
const CALLS_PER_SECOND_MAX = GET_RECORDS_CALLS_PER_SECOND - 1;

/** Shares the GetRecords calls of each shard among the mappings that read it. */
export interface ReadBudget {
  /** Reserves a call and returns how long to wait before it, in milliseconds. */
  reserve(streamName: string, shardId: ShardId, nowMs: number): number;
}

/** Spaces the calls on one shard evenly; a reservation that is not used is not given back. */
export function readBudget(callsPerSecondMax: number = CALLS_PER_SECOND_MAX): ReadBudget {
  const intervalMs = 1_000 / callsPerSecondMax;
  const nextFree = new Map<string, number>();
  return {
    reserve: (streamName, shardId, nowMs) => {
      const key = `${streamName}/${shardId}`;
      const at = Math.max(nowMs, nextFree.get(key) ?? 0);
      nextFree.set(key, at + intervalMs);
      return at - nowMs;
    },
  };
}
