import type { UserRecord } from '@twinstream/stream-model';
import type { PackedRecord } from './aggregator.ts';
import type { Lane, ShardQueue } from './lane.ts';
import type { LaneBook } from './lane-book.ts';
import { dropReadyLane, nextReadyLane } from './shard-queues.ts';

/** One Kinesis record of a request, and where it came from. */
export interface SentRecord<R extends UserRecord> extends PackedRecord {
  readonly lane: Lane<R>;
  /** The shard it was sent for; the lane may move while it is on its way. */
  readonly home: ShardQueue<R>;
}

export interface CollectorOptions {
  readonly requestRecordsMax: number;
  readonly requestBytesMax: number;
}

/** What is to be sent now, or when it is worth asking again. */
export interface Collected<R extends UserRecord> {
  readonly records: readonly SentRecord<R>[];
  /** When a limiter lets more through; undefined when none holds anything back. */
  readonly limitedUntilMs: number | undefined;
}

/** Earliest time after which a shard at its limit is asked again, so that its records share requests. */
const LIMITER_PAUSE_MS = 10;

/**
 * Gathers ready lanes into one request: the shards in turn, as far as their limiters allow, up to the size and count of a
 * request. A suspect lane is sent alone.
 *
 * @param prepare readies a lane's next record: undefined when the lane has nothing left to send
 */
export function createCollector<R extends UserRecord>(
  book: LaneBook<R>,
  options: CollectorOptions,
  prepare: (lane: Lane<R>, nowMs: number) => PackedRecord | undefined,
): (nowMs: number) => Collected<R> {
  let turn = 0;

  return (nowMs) => {
    const records: SentRecord<R>[] = [];
    let bytes = 0;
    let limitedUntilMs: number | undefined;
    const { shardQueues } = book;
    const isOver = (lane: Lane<R>): boolean =>
      records.length > 0 &&
      (lane.suspicion !== 'none' ||
        records.length >= options.requestRecordsMax ||
        bytes + book.packedBytesMax(lane) > options.requestBytesMax);

    for (let visited = 0; visited < shardQueues.length; visited += 1) {
      const at = (turn + visited) % shardQueues.length;
      const home = shardQueues[at];
      if (home === undefined) break;
      for (let lane = nextReadyLane(home); lane !== undefined; lane = nextReadyLane(home)) {
        const waitMs = home.limiter.waitMs(nowMs);
        if (waitMs > 0) {
          const until = nowMs + Math.max(waitMs, LIMITER_PAUSE_MS);
          limitedUntilMs = Math.min(limitedUntilMs ?? until, until);
          break;
        }
        if (isOver(lane)) {
          turn = at;
          return { records, limitedUntilMs };
        }
        dropReadyLane(home);
        const isAlone = lane.suspicion !== 'none';
        const packed = prepare(lane, nowMs);
        if (packed === undefined) continue;
        home.limiter.take(packed.bytes);
        records.push({ ...packed, lane, home });
        bytes += packed.bytes;
        if (isAlone) {
          turn = at;
          return { records, limitedUntilMs };
        }
      }
    }
    turn = shardQueues.length === 0 ? 0 : (turn + 1) % shardQueues.length;
    return { records, limitedUntilMs };
  };
}
