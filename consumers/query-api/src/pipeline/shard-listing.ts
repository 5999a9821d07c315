import { CodedError } from '@twinstream/runtime';
import type { Shard } from '@twinstream/stream-model';
import type { StreamTransport } from '@twinstream/stream-producer';

/** All shards of the stream, open and closed. */
export type ShardListing = (signal?: AbortSignal) => Promise<readonly Shard[]>;

/** A stream that lists its shards in more pages is not read. */
const PAGES_MAX = 100;

export function shardListing(transport: Pick<StreamTransport, 'listShards'>): ShardListing {
  return async (signal = new AbortController().signal) => {
    const shards: Shard[] = [];
    let token: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer = await transport.listShards(token, signal);
      shards.push(...answer.shards);
      if (answer.nextToken === undefined) return shards;
      token = answer.nextToken;
    }
    throw new CodedError('TOO_MANY_SHARDS', `the stream lists its shards in more than ${PAGES_MAX} pages`);
  };
}
