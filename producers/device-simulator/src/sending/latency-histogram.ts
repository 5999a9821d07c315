/** Percentiles of latencies, in milliseconds. */
export interface LatencySummary {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Counts latencies in bounded memory, however many there are. */
export interface LatencyHistogram {
  record(latencyMs: number): void;
  /** Percentiles are at most 0.8 % too high, never too low; the maximum is exact. All 0 when nothing was recorded. */
  summary(): LatencySummary;
}

const MICROSECONDS = 1_000;
/** Buckets of each octave: one bucket's width is 1/128 of what it holds. */
const OCTAVE_BITS = 7;
const OCTAVE = 1 << OCTAVE_BITS;
const MICROSECONDS_MAX = 2 ** 32 - 1;
const BUCKETS = (32 - OCTAVE_BITS + 1) * OCTAVE;

/** Logarithmic buckets with linear steps inside, as in HdrHistogram (Gil Tene, public domain). */
export function latencyHistogram(): LatencyHistogram {
  const counts = new Float64Array(BUCKETS);
  let total = 0;
  let maxMs = 0;

  function percentile(share: number): number {
    let wanted = Math.ceil(total * share);
    for (const [index, count] of counts.entries()) {
      wanted -= count;
      if (wanted <= 0) return Math.min(maxMs, highestOf(index) / MICROSECONDS);
    }
    return maxMs;
  }

  return {
    record(latencyMs) {
      const bounded = Math.min(Math.max(Math.ceil(latencyMs * MICROSECONDS), 0), MICROSECONDS_MAX);
      const index = bucketOf(bounded);
      counts[index] = (counts[index] ?? 0) + 1;
      total += 1;
      if (latencyMs > maxMs) maxMs = latencyMs;
    },
    summary: () => {
      if (total === 0) return { p50: 0, p95: 0, p99: 0, max: 0 };
      const figures = { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: maxMs };
      return {
        p50: microsecondsKept(figures.p50),
        p95: microsecondsKept(figures.p95),
        p99: microsecondsKept(figures.p99),
        max: microsecondsKept(figures.max),
      };
    },
  };
}

/** Octave and step of a whole number of microseconds, as one index. Below two octaves every number has its own. */
function bucketOf(microseconds: number): number {
  const shift = Math.max(0, 31 - Math.clz32(microseconds) - OCTAVE_BITS);
  return shift * OCTAVE + Math.floor(microseconds / 2 ** shift);
}

/** The highest number of a bucket. */
function highestOf(index: number): number {
  if (index < 2 * OCTAVE) return index;
  const shift = Math.floor(index / OCTAVE) - 1;
  return (index - shift * OCTAVE + 1) * 2 ** shift - 1;
}

function microsecondsKept(ms: number): number {
  return Math.round(ms * MICROSECONDS) / MICROSECONDS;
}
