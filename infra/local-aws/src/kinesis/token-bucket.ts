/** An allowance that refills evenly and holds at most `capacity`. Amounts are records, bytes or calls. */
export interface TokenBucket {
  readonly perSecond: number;
  readonly capacity: number;
  /** What may be taken now; below zero after an amount larger than the capacity was taken. */
  tokens: number;
  filledAtMs: number;
}

/** A full bucket whose capacity is what flows in one second. */
export function secondOf(perSecond: number, nowMs: number): TokenBucket {
  return { perSecond, capacity: perSecond, tokens: perSecond, filledAtMs: nowMs };
}

/** Adds what has flowed in since the last call. A clock that steps back adds nothing. */
export function refill(bucket: TokenBucket, nowMs: number): void {
  const elapsedMs = nowMs - bucket.filledAtMs;
  if (elapsedMs > 0) {
    bucket.tokens = Math.min(bucket.capacity, bucket.tokens + (elapsedMs * bucket.perSecond) / 1000);
  }
  bucket.filledAtMs = nowMs;
}

/** True when `amount` may be taken; an amount above the capacity may be taken from a full bucket, which then owes. */
export function holds(bucket: TokenBucket, amount: number): boolean {
  return bucket.tokens >= Math.min(amount, bucket.capacity);
}
