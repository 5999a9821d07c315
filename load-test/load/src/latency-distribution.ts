/** Percentiles of latencies in milliseconds, as far as 0.8 % in size, and the exact maximum. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Counts weighted latencies in memory that does not grow with their number. */
export interface LatencyDistribution {
  record(latencyMs: number, weight?: number): void;
  readonly count: number;
  /** Undefined when nothing was recorded. Never too low, at most 0.8 % too high. */
  percentiles(): Percentiles | undefined;
}

/** Buckets between a latency and its double. */
const STEPS = 90;
/** Below this, latencies are not told apart: a clock is no better. */
const LATENCY_MS_MIN = 0.01;

/** Logarithmic buckets: each is 0.77 % wide. */
export function latencyDistribution(): LatencyDistribution {
  const buckets = new Map<number, number>();
  let [total, count, max] = [0, 0, 0];
  return {
    record(latencyMs, weight = 1) {
      const bucket = Math.ceil(STEPS * Math.log2(Math.max(latencyMs, LATENCY_MS_MIN)));
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + weight);
      total += weight;
      count += 1;
      if (latencyMs > max) max = latencyMs;
    },
    get count() {
      return count;
    },
    percentiles() {
      if (count === 0) return undefined;
      const inOrder = [...buckets].sort(([a], [b]) => a - b);
      const at = (share: number): number => {
        let passed = 0;
        for (const [bucket, weight] of inOrder) {
          passed += weight;
          if (passed >= total * share) return Math.min(max, 2 ** (bucket / STEPS));
        }
        return max;
      };
      return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max };
    },
  };
}
