import { CodedError } from '@twinstream/runtime';
import type { Shard } from '@twinstream/stream-model';

/** All shards of the stream, open and closed. */
export type ShardListing = (signal?: AbortSignal) => Promise<readonly Shard[]>;

/** One page of a stream's shards after another. */
export interface ShardPages {
  listShards(
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly shards: readonly Shard[]; readonly nextToken?: string | undefined }>;
}

/** A stream that lists its shards in more pages is not read. */
const PAGES_MAX = 1_000;

/** Lists all shards at each call. Throws `TOO_MANY_SHARDS` beyond 1,000 pages. */
export function shardListing(stream: ShardPages): ShardListing {
  return async (signal = new AbortController().signal) => {
    const shards: Shard[] = [];
    let token: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer = await stream.listShards(token, signal);
      shards.push(...answer.shards);
      if (answer.nextToken === undefined) return shards;
      token = answer.nextToken;
    }
    throw new CodedError('TOO_MANY_SHARDS', `the stream lists its shards in more than ${PAGES_MAX} pages`);
  };
}
