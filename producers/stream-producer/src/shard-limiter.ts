/** What one shard takes at full rate. */
export interface ShardRates {
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
}

/**
 * Keeps the load on one shard below its rate, so that throttles are the exception, and learns a lower rate from them,
 * because other producers may use the same shard. Two token buckets, for bytes and for records, whose rate is a share of
 * the shard's: the part of the records that was throttled lowers the share, time raises it.
 */
export interface ShardLimiter {
  /** How long until the shard takes another record, in milliseconds: 0 when it does now. */
  waitMs(nowMs: number): number;
  /** Counts one Kinesis record. A large record may overdraw the bucket; the next one waits for it. */
  take(bytes: number): void;
  /** Learns from the answer to one record. Returns the new share when that lowers it. */
  answered(isThrottled: boolean, nowMs: number): number | undefined;
}

/** Tokens gather for this long at most. Kinesis counts by the second: a tenth on top of a full rate is seldom refused. */
const BURST_MS = 100;
/** Answers of at least this time, and at least so many, make a lesson. */
const LESSON_MS = 500;
const LESSON_RECORDS = 20;
/**
 * Up to this part of throttled records the rate stays: single ones say nothing about it, and trying whether a busy shard
 * takes more costs some.
 */
const TOLERATED_PART = 0.15;
/** One lesson leaves at least this of the share. */
const LESSON_FACTOR_MIN = 0.4;
const SHARE_MIN = 0.02;
/**
 * The share gains this × (t + t²) in t seconds after a lesson: slowly while it is fresh, so that a shard that others use
 * too is not tried all the time, and all of it within ten seconds.
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
  let lesson = { share: 1, atMs: startMs };
  /** Answers since `startMs`, for the next lesson. */
  let answers = { startMs, count: 0, throttled: 0 };

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
    answered(isThrottled, nowMs) {
      answers.count += 1;
      if (isThrottled) answers.throttled += 1;
      const isEnough = answers.count >= LESSON_RECORDS && nowMs - answers.startMs >= LESSON_MS;
      // After a jump back of the clock the count begins anew.
      if (!isEnough && nowMs >= answers.startMs) return undefined;
      const part = answers.throttled / answers.count;
      answers = { startMs: nowMs, count: 0, throttled: 0 };
      if (!isEnough || part <= TOLERATED_PART) return undefined;
      const factor = Math.max(LESSON_FACTOR_MIN, 1 - part);
      lesson = { share: Math.max(SHARE_MIN, shareAt(nowMs) * factor), atMs: nowMs };
      return lesson.share;
    },
  };
}
