import { type Clock, CodedError } from '@twinstream/runtime';
import {
  type BackoffOptions,
  fullJitterMs,
  type Shard,
  type ShardMap,
  shardMap,
} from '@twinstream/stream-model';
import { withinTime } from './put-request.ts';
import type { StreamTransport } from './transport.ts';

const PAGES_MAX = 10_000;
/** A page's token lives 300 s (ListShards, Kinesis API reference, read 2026-11); after that the list begins again. */
const RESTARTS_MAX = 5;
const FIRST_READ_ATTEMPTS_MAX = 5;

export interface ShardMapReaderOptions {
  readonly transport: StreamTransport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: BackoffOptions;
  readonly requestTimeoutMs: number;
  readonly stop: AbortSignal;
}

/** Lists all shards, page by page. Rejects with the transport's error, or `SHARD_MAP_INCOMPLETE` in the middle of a reshard. */
export async function readShardMap(options: ShardMapReaderOptions): Promise<ShardMap> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      const shards = await listAllShards(options);
      return shardMap(shards);
    } catch (cause) {
      if (cause instanceof RangeError) {
        const message = 'the open shards do not hold every hash key once: the stream is being resharded';
        throw new CodedError('SHARD_MAP_INCOMPLETE', message, { retryable: true, cause });
      }
      const isExpired = cause instanceof CodedError && cause.code === 'SHARD_LIST_EXPIRED';
      if (!isExpired || restarts >= RESTARTS_MAX) throw cause;
    }
  }
}

async function listAllShards(options: ShardMapReaderOptions): Promise<readonly Shard[]> {
  const { transport, clock, requestTimeoutMs, stop } = options;
  const shards: Shard[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const from = token;
    const page = await withinTime(clock, requestTimeoutMs, stop, async (signal) =>
      transport.listShards(from, signal),
    );
    shards.push(...page.shards);
    if (page.nextToken === undefined) return shards;
    token = page.nextToken;
  }
  throw new CodedError('STREAM_UNAVAILABLE', `the list of shards does not end after ${PAGES_MAX} pages`);
}

/** {@link readShardMap}, tried again with full jitter while the failure may pass. */
export async function readFirstShardMap(options: ShardMapReaderOptions): Promise<ShardMap> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await readShardMap(options);
    } catch (error) {
      const mayPass = error instanceof CodedError && error.retryable;
      if (!mayPass || attempt + 1 >= FIRST_READ_ATTEMPTS_MAX) throw error;
      await options.clock.sleep(fullJitterMs(attempt, options.backoff, options.random), options.stop);
    }
  }
}

/** Reads the map again when the stream's answers do not agree with it. */
export interface ShardMapRefresher {
  /** Asks for a map that was read after this call. Many calls make one read. */
  request(): void;
}

/**
 * @param onMap gets each map that was read
 * @param onFailure gets each error; the read is tried again with full jitter until it succeeds or `stop` is aborted
 */
export function createShardMapRefresher(
  options: ShardMapReaderOptions,
  onMap: (map: ShardMap) => void,
  onFailure: (error: unknown) => void,
): ShardMapRefresher {
  let isRunning = false;
  let isWanted = false;

  async function readOnce(): Promise<void> {
    let map: ShardMap;
    try {
      map = await readShardMap(options);
    } catch (error) {
      if (options.stop.aborted) return;
      isWanted = true;
      onFailure(error);
      return;
    }
    if (!options.stop.aborted) onMap(map);
  }

  async function run(): Promise<void> {
    isRunning = true;
    // All that one answer of the stream asks for is one read.
    await Promise.resolve();
    for (let attempt = 0; isWanted && !options.stop.aborted; attempt += 1) {
      // The first read starts immediately. A read right after another waits: the shard list is eventually consistent.
      if (attempt > 0) {
        await options.clock
          .sleep(fullJitterMs(attempt - 1, options.backoff, options.random), options.stop)
          .catch((error: unknown) => {
            if (!options.stop.aborted) throw error;
          });
        if (options.stop.aborted) break;
      }
      isWanted = false;
      await readOnce();
    }
    isRunning = false;
  }

  return {
    request() {
      isWanted = true;
      if (!isRunning) void run();
    },
  };
}
