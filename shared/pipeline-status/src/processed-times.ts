import type { ShardProgressTable } from '@twinstream/latest-state';
import type { Clock } from '@twinstream/runtime';
import type { Shard, ShardId } from '@twinstream/stream-model';
import type { ShardListing } from './shard-listing.ts';
import type { StreamReader } from './stream-reader.ts';

/** How far the shards of a stream have been processed. */
export interface ProcessedTimes {
  /**
   * Whatever had arrived in all of these shards before then is stored, milliseconds since 1970. A closed shard stands for its
   * successors, too, which may hold newer records of the same devices. Without shards, or for an unknown one: of the
   * whole stream. Undefined while no shard has been read.
   */
  of(shardIds: Iterable<ShardId>): number | undefined;
}

/** All shards are unknown. */
export const NO_PROCESSED_TIMES: ProcessedTimes = { of: () => undefined };

export interface ProcessedTimesOptions {
  readonly streamName: string;
  readonly shards: ShardListing;
  readonly stream: Pick<StreamReader, 'lag'>;
  readonly progress: Pick<ShardProgressTable, 'read'>;
  readonly clock: Clock;
  /** How long a reading stands, in milliseconds. Default 2,000. */
  readonly freshMs?: number;
  /** Told of a shard, or of all where it is undefined, that could not be read: what was known of it before stands. */
  readonly onFailure: (shardId: ShardId | undefined, error: unknown) => void;
}

/**
 * Reads how far the shards have been processed, at most once in `freshMs`; those who ask meanwhile share the answer. Never
 * rejects: where nothing can be read the last answer stands, which only says less than is true by now.
 */
export function createProcessedTimes(options: ProcessedTimesOptions): () => Promise<ProcessedTimes> {
  const { clock, freshMs = 2_000, onFailure } = options;
  let known = NO_PROCESSED_TIMES;
  let times: ReadonlyMap<ShardId, number> = new Map();
  let reading: Promise<ProcessedTimes> | undefined;
  let readTime = Number.NEGATIVE_INFINITY;

  async function read(): Promise<ProcessedTimes> {
    try {
      const shards = await options.shards();
      times = await readTimes(options, shards, times);
      known = processedTimes(shards, times);
    } catch (error) {
      onFailure(undefined, error);
    }
    return known;
  }

  return () => {
    if (reading === undefined || clock.now() - readTime > freshMs) {
      readTime = clock.now();
      reading = read();
    }
    return reading;
  };
}

async function readTimes(
  { streamName, stream, progress, clock, onFailure }: ProcessedTimesOptions,
  shards: readonly Shard[],
  before: ReadonlyMap<ShardId, number>,
): Promise<ReadonlyMap<ShardId, number>> {
  const finished = new Map(
    (await progress.read(streamName)).map(({ shardId, finishedThrough }) => [shardId, finishedThrough]),
  );
  const entries = await Promise.all(
    shards.map(async ({ shardId }): Promise<[ShardId, number | undefined]> => {
      try {
        const { lagMs, asOf } = await stream.lag(shardId, finished.get(shardId));
        return [shardId, lagMs === 0 ? asOf : clock.now() - lagMs];
      } catch (error) {
        onFailure(shardId, error);
        return [shardId, before.get(shardId)];
      }
    }),
  );
  return new Map(entries.filter((entry): entry is [ShardId, number] => entry[1] !== undefined));
}

function processedTimes(shards: readonly Shard[], times: ReadonlyMap<ShardId, number>): ProcessedTimes {
  if (times.size === 0) return NO_PROCESSED_TIMES;
  const whole = Math.min(...times.values());
  const withSuccessors = new Map<ShardId, number>();
  // Successors are listed after their parents: a shard's id is given when it is made.
  for (const { shardId } of [...shards].sort((a, b) => (a.shardId < b.shardId ? 1 : -1))) {
    const successors = shards.filter(
      ({ parentShardId, adjacentParentShardId }) =>
        parentShardId === shardId || adjacentParentShardId === shardId,
    );
    const own = [shardId, ...successors.map((successor) => successor.shardId)].map(
      (id) => withSuccessors.get(id) ?? times.get(id) ?? whole,
    );
    withSuccessors.set(shardId, Math.min(...own));
  }
  return {
    of: (shardIds) => {
      let earliest: number | undefined;
      for (const shardId of shardIds) {
        const time = withSuccessors.get(shardId) ?? whole;
        if (earliest === undefined || time < earliest) earliest = time;
      }
      return earliest ?? whole;
    },
  };
}
