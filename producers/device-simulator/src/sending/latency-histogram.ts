import { createHistogram } from 'node:perf_hooks';

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
  /** Percentiles are at most 0.1 % and a microsecond too high, never too low; the maximum is exact. All 0 when nothing was recorded. */
  summary(): LatencySummary;
}

const MICROSECONDS = 1_000;
/** Decimal digits that hold of every latency. */
const FIGURES = 3;

/** Node's HdrHistogram of microseconds, the smallest of which is 1. */
export function latencyHistogram(): LatencyHistogram {
  const histogram = createHistogram({ figures: FIGURES });
  let maxMs = 0;

  function percentile(share: number): number {
    // Asked for the rank itself: Node rounds a percentile's rank to the nearest, which may be one too low.
    const rank = Math.ceil(histogram.count * share);
    const highest = histogram.percentile((100 * rank) / histogram.count) / MICROSECONDS;
    return microsecondsKept(Math.min(maxMs, highest));
  }

  return {
    record(latencyMs) {
      histogram.record(Math.max(1, Math.ceil(latencyMs * MICROSECONDS)));
      maxMs = Math.max(maxMs, latencyMs);
    },
    summary: () =>
      histogram.count === 0
        ? { p50: 0, p95: 0, p99: 0, max: 0 }
        : {
            p50: percentile(0.5),
            p95: percentile(0.95),
            p99: percentile(0.99),
            max: microsecondsKept(maxMs),
          },
  };
}

function microsecondsKept(ms: number): number {
  return Math.round(ms * MICROSECONDS) / MICROSECONDS;
}
