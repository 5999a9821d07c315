import type {
  DurationSummary,
  MetricsSnapshot,
  ProducerEvent,
  ProducerMetrics,
  RetryReason,
} from './metrics.ts';
import { RETRY_REASONS } from './metrics.ts';

type Gauge = 'userRecordsPending' | 'bufferedBytes' | 'putsWaiting' | 'requestsInFlight';
type Timing = 'bufferingTime' | 'acknowledgementTime';
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The counts of a snapshot, to be raised in place. */
export type Counts = Mutable<Omit<MetricsSnapshot, Gauge | Timing | 'retries'>> & {
  readonly retries: Record<RetryReason, number>;
} & { readonly [Key in Timing]: Mutable<DurationSummary> };

/** What only the producer's parts know at the moment of a snapshot. */
export type Gauges = Pick<MetricsSnapshot, Gauge>;

/** Counts, and tells listeners. */
export interface MetricsRecorder {
  readonly counts: Counts;
  emit(event: ProducerEvent): void;
  readonly metrics: ProducerMetrics;
}

const noTime = (): Mutable<DurationSummary> => ({ count: 0, totalMs: 0, maxMs: 0 });

export function addDuration(summary: Mutable<DurationSummary>, durationMs: number): void {
  summary.count += 1;
  summary.totalMs += durationMs;
  if (durationMs > summary.maxMs) summary.maxMs = durationMs;
}

export function createMetricsRecorder(gauges: () => Gauges): MetricsRecorder {
  const listeners = new Set<(event: ProducerEvent) => void>();
  const counts: Counts = {
    userRecordsPut: 0,
    userRecordsAcknowledged: 0,
    userRecordsFailed: 0,
    userRecordsSent: 0,
    retries: { throttled: 0, rejected: 0, unanswered: 0, 'wrong-shard': 0, isolated: 0 },
    requestsSent: 0,
    requestsAnswered: 0,
    requestsThrottled: 0,
    requestsUnanswered: 0,
    requestsRefused: 0,
    recordsSent: 0,
    recordsAcknowledged: 0,
    recordsThrottled: 0,
    recordsRejected: 0,
    bytesSent: 0,
    bytesAcknowledged: 0,
    shardMisses: 0,
    shardMapRefreshes: 0,
    bufferingTime: noTime(),
    acknowledgementTime: noTime(),
  };

  return {
    counts,
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    metrics: {
      snapshot: () => ({
        ...counts,
        retries: { ...counts.retries },
        bufferingTime: { ...counts.bufferingTime },
        acknowledgementTime: { ...counts.acknowledgementTime },
        ...gauges(),
      }),
      subscribe(listener) {
        listeners.add(listener);
        return () => {
          listeners.delete(listener);
        };
      },
    },
  };
}

/** Sum of the retries of all reasons. */
export function retryCount(snapshot: MetricsSnapshot): number {
  return RETRY_REASONS.reduce((sum, reason) => sum + snapshot.retries[reason], 0);
}
