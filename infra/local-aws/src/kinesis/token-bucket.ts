/** Amounts are kept in thousandths, so that every millisecond adds a whole number and nothing is ever rounded. */
const THOUSAND = 1000;

/** An allowance that refills evenly and holds what flows in one second. Amounts are whole records, bytes or calls. */
export interface TokenBucket {
  readonly perSecond: number;
  /** In thousandths; below zero after more was taken than there was. */
  thousandths: number;
  filledAtMs: number;
}

export function fullBucket(perSecond: number, nowMs: number): TokenBucket {
  return { perSecond, thousandths: perSecond * THOUSAND, filledAtMs: nowMs };
}

/** Adds what has flowed in since the last call. A clock that steps back adds nothing. */
export function refill(bucket: TokenBucket, nowMs: number): void {
  const elapsedMs = Math.max(0, nowMs - bucket.filledAtMs);
  const capacity = bucket.perSecond * THOUSAND;
  bucket.thousandths = Math.min(capacity, bucket.thousandths + elapsedMs * bucket.perSecond);
  bucket.filledAtMs = nowMs;
}

/** True when `amount` may be taken. More than the bucket holds may be taken when it is full; it then owes the rest. */
export function holds(bucket: TokenBucket, amount: number): boolean {
  return bucket.thousandths >= Math.min(amount, bucket.perSecond) * THOUSAND;
}

export function isFull(bucket: TokenBucket): boolean {
  return holds(bucket, bucket.perSecond);
}

/** Takes an amount, whether or not the bucket holds it. */
export function take(bucket: TokenBucket, amount: number): void {
  bucket.thousandths -= amount * THOUSAND;
}

/** True when more was taken than there was. */
export function owes(bucket: TokenBucket): boolean {
  return bucket.thousandths < 0;
}
