import type { Shard, UserRecord } from '@twinstream/stream-model';
import type { PendingRecord } from './pending-record.ts';
import { append, emptyQueue, first, itemAt, prepend, type Queue, takeAfter, takeFirst } from './queue.ts';
import type { ShardLimiter } from './shard-limiter.ts';
import type { TransportAnswer } from './transport.ts';

/** Where the stream has put a Kinesis record. */
export type StoredAnswer = Extract<TransportAnswer, { status: 'stored' }>;

/** An open shard as the producer sees it: what it may take, and which lanes have something ready for it. */
export interface ShardQueue<R extends UserRecord> {
  readonly shard: Shard;
  /** A decimal hash key inside the shard. */
  readonly explicitHashKey: string;
  readonly limiter: ShardLimiter;
  /** May hold lanes that are no longer ready or have moved; `nextReadyLane` drops them. */
  readonly ready: Queue<Lane<R>>;
}

/**
 * `idle`: nothing to send. `lingering`: waits for its batch to fill. `ready`: in its shard's queue. `sent`: in flight. `held`:
 * stored in a shard that the map does not know yet. `backing-off`: waits for its retry. `blocked`: a lane that had its
 * devices before the last reshard still has a record in flight.
 */
export type LaneState = 'idle' | 'lingering' | 'ready' | 'sent' | 'held' | 'backing-off' | 'blocked';

/**
 * `none`: nothing is known against it. `alone`: its last request was refused as malformed, so its next Kinesis record
 * is sent alone. `single`: that was refused too, so its records are sent alone, one by one.
 */
export type Suspicion = 'none' | 'alone' | 'single';

/**
 * One line of records that must reach the stream in order. At most one Kinesis record of a lane is unacknowledged: it
 * carries the first `sentCount` records of the queue, which leave the queue only with their outcome.
 */
export interface Lane<R extends UserRecord> {
  /** Partition key of its Kinesis records. */
  readonly partitionKey: string;
  /** Where its records are expected to land. */
  home: ShardQueue<R>;
  readonly queue: Queue<PendingRecord<R>>;
  /** Data, keys and the most that aggregation adds, of the whole queue. */
  queuedBytes: number;
  sentCount: number;
  state: LaneState;
  /** Attempts since the last success. */
  failures: number;
  suspicion: Suspicion;
  /** First records of the queue that the suspicion is about. */
  suspectCount: number;
  /** Its shard is closed: the records it has in flight are its last. */
  isRetired: boolean;
  /** Retired lanes that had its devices and are not settled. Absent where lanes do not move. */
  blockers: Set<Lane<R>> | undefined;
  /** Inverse of `blockers`. */
  dependents: Set<Lane<R>> | undefined;
  /** The answer that put it in state `held`, and the sub-sequence number of the first record it is about. */
  held: { readonly answer: StoredAnswer; readonly firstIndex: number } | undefined;
}

/**
 * The most that aggregation adds to data and keys of one record: tag and length of the entry (5), two indexes (8), tag
 * and length of data (5), tag and length of two table entries (5); asserted in the test of the aggregator.
 */
export const AGGREGATED_RECORD_OVERHEAD_BYTES = 24;

export function createLane<R extends UserRecord>(partitionKey: string, home: ShardQueue<R>): Lane<R> {
  return {
    partitionKey,
    home,
    queue: emptyQueue(),
    queuedBytes: 0,
    sentCount: 0,
    state: 'idle',
    failures: 0,
    suspicion: 'none',
    suspectCount: 0,
    isRetired: false,
    blockers: undefined,
    dependents: undefined,
    held: undefined,
  };
}

export const isBlocked = <R extends UserRecord>(lane: Lane<R>): boolean =>
  lane.blockers !== undefined && lane.blockers.size > 0;

function bytesOf<R extends UserRecord>(records: readonly PendingRecord<R>[]): number {
  let bytes = 0;
  for (const pending of records) bytes += pending.bytes + AGGREGATED_RECORD_OVERHEAD_BYTES;
  return bytes;
}

export function appendToLane<R extends UserRecord>(lane: Lane<R>, pending: PendingRecord<R>): void {
  append(lane.queue, pending);
  lane.queuedBytes += pending.bytes + AGGREGATED_RECORD_OVERHEAD_BYTES;
}

/** Puts records back before all others of the lane. Throws when the lane has a record in flight, because that would be a reordering. */
export function prependToLane<R extends UserRecord>(
  lane: Lane<R>,
  records: readonly PendingRecord<R>[],
): void {
  if (lane.sentCount > 0) throw new Error(`lane ${lane.partitionKey} has records in flight`);
  prepend(lane.queue, records);
  lane.queuedBytes += bytesOf(records);
}

/** Takes the first `count` records out of the lane. */
export function takeFromLane<R extends UserRecord>(lane: Lane<R>, count: number): PendingRecord<R>[] {
  const taken = takeFirst(lane.queue, count);
  lane.queuedBytes -= bytesOf(taken);
  return taken;
}

/** Takes the first records of the lane, as far as they were put at this time or before. */
export function takePutBefore<R extends UserRecord>(lane: Lane<R>, timeMs: number): PendingRecord<R>[] {
  let count = 0;
  for (let pending = first(lane.queue); pending !== undefined && pending.putAtMs <= timeMs; ) {
    count += 1;
    pending = itemAt(lane.queue, count);
  }
  return count === 0 ? [] : takeFromLane(lane, count);
}

/** Takes what the lane has not sent. */
export function takeUnsent<R extends UserRecord>(lane: Lane<R>): PendingRecord<R>[] {
  const taken = takeAfter(lane.queue, lane.sentCount);
  lane.queuedBytes -= bytesOf(taken);
  return taken;
}

/** The records that the lane has in flight. */
export function sentRecords<R extends UserRecord>(lane: Lane<R>): PendingRecord<R>[] {
  return lane.queue.items.slice(lane.queue.head, lane.queue.head + lane.sentCount);
}

/** Ends the suspicion against the lane once all its suspects have left. */
export function clearSuspects<R extends UserRecord>(lane: Lane<R>, count: number): void {
  lane.suspectCount = Math.max(0, lane.suspectCount - count);
  if (lane.suspectCount === 0) lane.suspicion = 'none';
}
