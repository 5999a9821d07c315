/** What one shard takes at full rate. */
export interface ShardRates {
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
}

/**
 * Keeps the load on one shard below its rate, so that throttles are the exception, and learns a lower rate from
 * throttles, because other producers may use the same shard. Two token buckets, for bytes and for records, whose rate is a
 * share of the shard's: each throttle multiplies the share, time adds to it (AIMD).
 */
export interface ShardLimiter {
  /** How long until the shard takes another record, in milliseconds: 0 when it does now. */
  waitMs(nowMs: number): number;
  /** Counts one Kinesis record. A large record may overdraw the bucket; the next one waits for it. */
  take(bytes: number): void;
  /** Learns from a throttled record. Returns the new share, or undefined when it has just learned. */
  throttled(nowMs: number): number | undefined;
  readonly share: number;
}

/** Tokens gather for this long at most. Kinesis counts by the second: a tenth on top of a full rate is seldom refused. */
const BURST_MS = 100;
/** The share after a throttle, per throttle, but at most once in `LESSON_MS`: one burst is one lesson. */
const THROTTLED_FACTOR = 0.9;
const LESSON_MS = 200;
const SHARE_MIN = 0.02;
/** What a second without a throttle adds to the share. */
const SHARE_GROWTH_PER_SECOND = 0.1;

interface Bucket {
  readonly perMs: number;
  tokens: number;
}

const bucket = (perSecond: number): Bucket => ({
  perMs: perSecond / 1_000,
  tokens: (perSecond / 1_000) * BURST_MS,
});

function refill(target: Bucket, elapsedMs: number, share: number): void {
  const rate = target.perMs * share;
  target.tokens = Math.min(rate * BURST_MS, target.tokens + rate * elapsedMs);
}

/** Time until the bucket holds more than nothing. */
function emptyForMs(target: Bucket, share: number): number {
  return target.tokens > 0 ? 0 : Math.max(1, Math.ceil(-target.tokens / (target.perMs * share)));
}

export function createShardLimiter(rates: ShardRates, startMs: number): ShardLimiter {
  // An unlimited bucket is left out: Infinity × 0 elapsed milliseconds would be NaN.
  const limits = [rates.bytesPerSecond, rates.recordsPerSecond];
  const [bytes, records] = limits.map((limit) => (Number.isFinite(limit) ? bucket(limit) : undefined));
  let share = 1;
  let refilledAtMs = startMs;
  let lessonAtMs = Number.NEGATIVE_INFINITY;

  function advance(nowMs: number): void {
    // A clock that runs backward adds nothing.
    const elapsedMs = nowMs - refilledAtMs;
    refilledAtMs = nowMs;
    if (elapsedMs <= 0) return;
    share = Math.min(1, share + (SHARE_GROWTH_PER_SECOND * elapsedMs) / 1_000);
    if (bytes) refill(bytes, elapsedMs, share);
    if (records) refill(records, elapsedMs, share);
  }

  return {
    waitMs(nowMs) {
      advance(nowMs);
      return Math.max(bytes ? emptyForMs(bytes, share) : 0, records ? emptyForMs(records, share) : 0);
    },
    take(size) {
      if (bytes) bytes.tokens -= size;
      if (records) records.tokens -= 1;
    },
    throttled(nowMs) {
      advance(nowMs);
      if (nowMs - lessonAtMs < LESSON_MS && nowMs >= lessonAtMs) return undefined;
      lessonAtMs = nowMs;
      share = Math.max(SHARE_MIN, share * THROTTLED_FACTOR);
      return share;
    },
    get share() {
      return share;
    },
  };
}
