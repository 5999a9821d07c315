import { channel } from 'node:diagnostics_channel';
import type { ShardId } from '@twinstream/stream-model';

/** Why a record was sent again. */
export const RETRY_REASONS = ['throttled', 'rejected', 'unanswered', 'wrong-shard', 'isolated'] as const;
/**
 * `throttled`: the shard or the request was over its rate. `rejected`: the record failed inside an answered request for
 * another cause (`InternalFailure`). `unanswered`: no answer came, so it may be stored already. `wrong-shard`: it
 * travelled in an aggregate that landed in a shard that is not its own. `isolated`: its request was refused as invalid.
 */
export type RetryReason = (typeof RETRY_REASONS)[number];

/** Sum, count and maximum of a time, in milliseconds. */
export interface DurationSummary {
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
}

/** Counts since the producer was created, and gauges of now. */
export interface MetricsSnapshot {
  /** Records that `put` accepted = acknowledged + failed + pending. */
  readonly userRecordsPut: number;
  readonly userRecordsAcknowledged: number;
  readonly userRecordsFailed: number;
  /** Gauge: records without an outcome. */
  readonly userRecordsPending: number;
  /** Gauge: bytes of the buffer in use; never above `bufferBytesMax`. */
  readonly bufferedBytes: number;
  /** Gauge: calls of `put` that wait for buffer capacity. */
  readonly putsWaiting: number;
  /** User records sent, counting each try = records sent at least once + all retries. */
  readonly userRecordsSent: number;
  /** User records sent again, by the reason of the attempt before. */
  readonly retries: Readonly<Record<RetryReason, number>>;
  /** PutRecords requests = answered + throttled, unanswered or refused as a whole. */
  readonly requestsSent: number;
  readonly requestsAnswered: number;
  readonly requestsThrottled: number;
  readonly requestsUnanswered: number;
  readonly requestsRefused: number;
  /** Gauge: requests in flight. */
  readonly requestsInFlight: number;
  /** Kinesis records sent, counting each try. */
  readonly recordsSent: number;
  readonly recordsAcknowledged: number;
  /** Kinesis records that failed inside an answered request, for their shard's rate. */
  readonly recordsThrottled: number;
  /** Kinesis records that failed inside an answered request, for another cause. */
  readonly recordsRejected: number;
  /** Data and keys of the Kinesis records sent, counting each try. */
  readonly bytesSent: number;
  readonly bytesAcknowledged: number;
  /** Kinesis records that landed in another shard than predicted. */
  readonly shardMisses: number;
  readonly shardMapRefreshes: number;
  /** From `put` to the first send, per user record. */
  readonly bufferingTime: DurationSummary;
  /** From `put` to the acknowledgement, per user record. */
  readonly acknowledgementTime: DurationSummary;
}

/** Events of a producer, for callers that need more than counts. */
export type ProducerEvent =
  | {
      /** A request has ended, in whatever way. */
      readonly type: 'request';
      readonly result: 'answered' | 'throttled' | 'unanswered' | 'refused';
      readonly recordCount: number;
      readonly bytes: number;
      readonly failedCount: number;
      readonly durationMs: number;
    }
  | {
      readonly type: 'retry';
      readonly reason: RetryReason;
      readonly userRecordCount: number;
      readonly delayMs: number;
    }
  /** The limiter has lowered a shard's rate to `share` (0–1) of the shard's full rate. */
  | { readonly type: 'shard-slowed'; readonly shardId: ShardId; readonly share: number }
  | { readonly type: 'shard-map-refreshed'; readonly openShards: readonly ShardId[] }
  | { readonly type: 'shard-map-refresh-failed'; readonly error: unknown }
  | { readonly type: 'expired'; readonly userRecordCount: number };

/** Names of the diagnostics channels of all producers in this process, by the type of event that each carries. */
export const DIAGNOSTICS_CHANNELS = {
  request: 'twinstream:stream-producer:request',
  retry: 'twinstream:stream-producer:retry',
  'shard-slowed': 'twinstream:stream-producer:shard-slowed',
  'shard-map-refreshed': 'twinstream:stream-producer:shard-map-refreshed',
  'shard-map-refresh-failed': 'twinstream:stream-producer:shard-map-refresh-failed',
  expired: 'twinstream:stream-producer:expired',
} as const satisfies Record<ProducerEvent['type'], string>;

/** A message of a diagnostics channel. `streamName` is undefined where the transport names no stream. */
export type ProducerDiagnostic = ProducerEvent & { readonly streamName: string | undefined };

/** Publishes events on the channels that somebody listens to; on the others an event costs one comparison. */
function diagnosticsOf(streamName: string | undefined): (event: ProducerEvent) => void {
  const channels = new Map(
    Object.entries(DIAGNOSTICS_CHANNELS).map(([type, name]) => [type, channel(name)] as const),
  );
  return (event) => {
    const diagnostics = channels.get(event.type);
    if (diagnostics?.hasSubscribers)
      diagnostics.publish({ ...event, streamName } satisfies ProducerDiagnostic);
  };
}

export interface ProducerMetrics {
  snapshot(): MetricsSnapshot;
  /** Calls `listener` for every event, synchronously, until the returned function is called. A listener must not throw. */
  subscribe(listener: (event: ProducerEvent) => void): () => void;
}

type Gauge = 'userRecordsPending' | 'bufferedBytes' | 'putsWaiting' | 'requestsInFlight';
type Timing = 'bufferingTime' | 'acknowledgementTime';
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The counts of a snapshot, to be raised in place. */
export type Counts = Mutable<Omit<MetricsSnapshot, Gauge | Timing | 'retries'>> & {
  readonly retries: Record<RetryReason, number>;
} & { readonly [Key in Timing]: Mutable<DurationSummary> };

/** What only the producer's parts know at the moment of a snapshot. */
export type Gauges = Pick<MetricsSnapshot, Gauge>;

/** Counts, and tells listeners and diagnostics channels. */
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

export function createMetricsRecorder(gauges: () => Gauges, streamName?: string): MetricsRecorder {
  const publish = diagnosticsOf(streamName);
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
      publish(event);
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
