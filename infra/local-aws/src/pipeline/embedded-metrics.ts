import { METRICS } from '@twinstream/state-projector/metrics';
import { Counter, Histogram, type Registry } from 'prom-client';

/** What the log of a function is, line by line, for those who take metrics out of it. */
export interface LogMetrics {
  /** Counts what a line holds in the embedded metric format. True where it holds any. */
  observe(line: string): boolean;
}

const MS_SUFFIX = /_ms$/;
const MS_PER_SECOND = 1_000;
/** From one small batch to what a function may take at most, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * Metrics of the projector, read from its log as CloudWatch reads them on AWS: counts become counters, times become histograms in
 * seconds. `keyMismatches` is `twinstream_projector_key_mismatches_total` here, `durationMs` is `twinstream_projector_duration_seconds`.
 * Source: CloudWatch user guide, "Specification: Embedded metric format", read 2026-12.
 */
export function projectorMetrics(registry: Registry): LogMetrics {
  const registers = [registry];
  const takers = Object.entries(METRICS).map(([member, { unit, meaning }]) => {
    const name = `twinstream_projector_${member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    const help = `${meaning}.`;
    if (unit === 'Count') {
      const counter = new Counter({ name: `${name}_total`, help, registers });
      return [member, (value: number) => counter.inc(value)] as const;
    }
    const seconds = name.replace(MS_SUFFIX, '_seconds');
    const histogram = new Histogram({ name: seconds, help, buckets: BUCKETS, registers });
    return [member, (value: number) => histogram.observe(value / MS_PER_SECOND)] as const;
  });
  return {
    observe: (line) => {
      if (!line.includes('"_aws":{')) return false;
      const document = parsed(line);
      if (document === undefined || !('_aws' in document)) return false;
      for (const [member, take] of takers) {
        const value = document[member];
        if (typeof value === 'number' && Number.isFinite(value) && value >= 0) take(value);
      }
      return true;
    },
  };
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
