/** What one shard takes at full rate. */
export interface ShardRates {
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
}

/**
 * Keeps the load on one shard below its rate, so that throttles are the exception, and lowers its own rate when they are not,
 * because other producers may use the same shard. Two token buckets, for bytes and for records, refill at a share of the
 * shard's rate. The share follows a form of AIMD: over each sampling window the throttled fraction lowers it by a
 * multiplicative decrease, and time raises it again.
 */
export interface ShardLimiter {
  /** How long until the shard takes another record, in milliseconds: 0 when it does now. */
  waitMs(nowMs: number): number;
  /** Counts one Kinesis record. A large record may overdraw the bucket; the next one waits for it. */
  take(bytes: number): void;
  /** Samples the answer to one record. Returns the new share when it lowers it. */
  answered(isThrottled: boolean, nowMs: number): number | undefined;
}

/** Longest time for which tokens accumulate. Kinesis counts by the second: a tenth above the full rate is rarely throttled. */
const BURST_MS = 100;
/** A sampling window closes after at least this time and this number of window. */
const WINDOW_MS_MIN = 500;
const WINDOW_ANSWERS_MIN = 20;
/**
 * Throttled fraction of a window up to which the share stays: single throttles say nothing about the rate, and probing
 * whether a busy shard takes more costs some.
 */
const THROTTLED_FRACTION_TOLERATED = 0.15;
/** Smallest factor of one multiplicative decrease. */
const DECREASE_FACTOR_MIN = 0.4;
const SHARE_MIN = 0.02;
/**
 * The share gains this × (t + t²) in t seconds after a decrease: slowly at first, so that a shard that others use too is
 * not probed all the time, and back to the full rate within ten seconds.
 */
const SHARE_INCREASE = 0.01;

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
  let decreased = { share: 1, atMs: startMs };
  /** The open sampling window. */
  let window = { startMs, count: 0, throttled: 0 };

  function shareAt(nowMs: number): number {
    const seconds = Math.max(0, nowMs - decreased.atMs) / 1_000;
    return Math.min(1, decreased.share + SHARE_INCREASE * (seconds + seconds * seconds));
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
    answered(isThrottled, nowMs) {
      window.count += 1;
      if (isThrottled) window.throttled += 1;
      const isClosed = window.count >= WINDOW_ANSWERS_MIN && nowMs - window.startMs >= WINDOW_MS_MIN;
      // After the clock jumps back, a new window begins.
      if (!isClosed && nowMs >= window.startMs) return undefined;
      const throttledFraction = window.throttled / window.count;
      window = { startMs: nowMs, count: 0, throttled: 0 };
      if (!isClosed || throttledFraction <= THROTTLED_FRACTION_TOLERATED) return undefined;
      const factor = Math.max(DECREASE_FACTOR_MIN, 1 - throttledFraction);
      decreased = { share: Math.max(SHARE_MIN, shareAt(nowMs) * factor), atMs: nowMs };
      return decreased.share;
    },
  };
}
