/** What one shard takes at full rate. */
export interface ShardRates {
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
}

/**
 * Keeps the load on one shard below its rate, so that throttles are the exception, and learns a lower rate from
 * throttles, because other producers may use the same shard. Two token buckets, for bytes and for records, whose rate is a
 * share of the shard's: each throttle multiplies the share, time adds to it.
 */
export interface ShardLimiter {
  /** How long until the shard takes another record, in milliseconds: 0 when it does now. */
  waitMs(nowMs: number): number;
  /** Counts one Kinesis record. A large record may overdraw the bucket; the next one waits for it. */
  take(bytes: number): void;
  /** Learns from a throttled record. Returns the new share, or undefined when it has just learned. */
  throttled(nowMs: number): number | undefined;
}

/** Tokens gather for this long at most. Kinesis counts by the second: a tenth on top of a full rate is seldom refused. */
const BURST_MS = 100;
/** The share after a throttle, per throttle, but at most once in `LESSON_MS`: one burst is one lesson. */
const THROTTLED_FACTOR = 0.85;
const LESSON_MS = 200;
const SHARE_MIN = 0.02;
/**
 * The share gains this × (t + t²) in t seconds without a throttle: slowly while the lesson is fresh, so that a shard that
 * others use too is not tried all the time, and all of it within ten seconds.
 */
const SHARE_GAIN = 0.01;

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
  let refilledAtMs = startMs;
  let lesson = { share: 1, atMs: Number.NEGATIVE_INFINITY };

  function shareAt(nowMs: number): number {
    const seconds = Math.max(0, nowMs - lesson.atMs) / 1_000;
    return Math.min(1, lesson.share + SHARE_GAIN * (seconds + seconds * seconds));
  }

  function advance(nowMs: number): void {
    // A clock that runs backward adds nothing.
    const elapsedMs = nowMs - refilledAtMs;
    refilledAtMs = nowMs;
    if (elapsedMs <= 0) return;
    const share = shareAt(nowMs);
    if (bytes) refill(bytes, elapsedMs, share);
    if (records) refill(records, elapsedMs, share);
  }

  return {
    waitMs(nowMs) {
      advance(nowMs);
      const share = shareAt(nowMs);
      return Math.max(bytes ? emptyForMs(bytes, share) : 0, records ? emptyForMs(records, share) : 0);
    },
    take(size) {
      if (bytes) bytes.tokens -= size;
      if (records) records.tokens -= 1;
    },
    throttled(nowMs) {
      if (nowMs >= lesson.atMs && nowMs - lesson.atMs < LESSON_MS) return undefined;
      lesson = { share: Math.max(SHARE_MIN, shareAt(nowMs) * THROTTLED_FACTOR), atMs: nowMs };
      return lesson.share;
    },
  };
}
