import {
  GET_RECORDS_CALLS_PER_SECOND,
  SHARD_IN_BYTES_PER_SECOND,
  SHARD_IN_RECORDS_PER_SECOND,
  SHARD_OUT_BYTES_PER_SECOND,
} from '@twinstream/stream-model';
import { fullBucket, holds, isFull, owes, refill, type TokenBucket, take } from './token-bucket.ts';

/** Write and read limits of one shard per second (quotas of shared/stream-model), with a burst of one second. */
export interface ShardLimiter {
  readonly inRecords: TokenBucket;
  readonly inBytes: TokenBucket;
  readonly outCalls: TokenBucket;
  readonly outBytes: TokenBucket;
  /** A read took more than a second's bytes; reads are refused until all of it is paid back. */
  outOverdrawn: boolean;
}

export function shardLimiter(nowMs: number): ShardLimiter {
  return {
    inRecords: fullBucket(SHARD_IN_RECORDS_PER_SECOND, nowMs),
    inBytes: fullBucket(SHARD_IN_BYTES_PER_SECOND, nowMs),
    outCalls: fullBucket(GET_RECORDS_CALLS_PER_SECOND, nowMs),
    outBytes: fullBucket(SHARD_OUT_BYTES_PER_SECOND, nowMs),
    outOverdrawn: false,
  };
}

/** Takes one record of `bytes` (data and partition key); false, and nothing taken, when the shard is at its limit. */
export function admitRecord(limiter: ShardLimiter, bytes: number, nowMs: number): boolean {
  refill(limiter.inRecords, nowMs);
  refill(limiter.inBytes, nowMs);
  if (!holds(limiter.inRecords, 1) || !holds(limiter.inBytes, bytes)) return false;
  take(limiter.inRecords, 1);
  take(limiter.inBytes, bytes);
  return true;
}

/**
 * Takes one GetRecords call; false, and nothing taken, when the shard is at its limit. A read may return more than a
 * second's bytes; then the next is refused until all is paid back: 5 s after one of 10 MiB (API reference,
 * GetRecords, read 2026-11).
 */
export function admitRead(limiter: ShardLimiter, nowMs: number): boolean {
  refill(limiter.outCalls, nowMs);
  refill(limiter.outBytes, nowMs);
  if (isFull(limiter.outBytes)) limiter.outOverdrawn = false;
  if (limiter.outOverdrawn || !holds(limiter.outBytes, 1) || !holds(limiter.outCalls, 1)) return false;
  take(limiter.outCalls, 1);
  return true;
}

/** Charges the bytes that an admitted read returned. */
export function chargeRead(limiter: ShardLimiter, bytes: number): void {
  take(limiter.outBytes, bytes);
  if (owes(limiter.outBytes)) limiter.outOverdrawn = true;
}
