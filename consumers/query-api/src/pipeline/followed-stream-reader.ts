import type { StreamReader } from '@twinstream/pipeline-status';
import type { ShardActivity } from './shard-activity.ts';

export interface FollowedStreamReaderOptions {
  readonly activity: ShardActivity;
  /** Is asked where the shards are not followed, or not from far enough back. */
  readonly direct: StreamReader;
}

/** Answers from what is seen of the stream anyway, and reads it only where that does not suffice. */
export function followedStreamReader({ activity, direct }: FollowedStreamReaderOptions): StreamReader {
  return {
    describe: direct.describe,
    lag: async (shardId, after, signal) => activity.lag(shardId, after) ?? direct.lag(shardId, after, signal),
    recordsPerSecond: async (shardId, signal) =>
      activity.recordsPerSecond(shardId) ?? direct.recordsPerSecond(shardId, signal),
    processedPerSecond: (shardId) => activity.processedPerSecond(shardId),
  };
}
