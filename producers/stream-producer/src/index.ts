export type { UserRecord } from '@twinstream/stream-model';
export { AGGREGATE_LANES_PER_SHARD, aggregateLaneIndex, aggregateLaneKey } from './aggregate-lanes.ts';
export * from './kinesis-transport.ts';
export {
  DIAGNOSTICS_CHANNELS,
  type DurationSummary,
  type MetricsSnapshot,
  type ProducerDiagnostic,
  type ProducerEvent,
  type ProducerMetrics,
  RETRY_REASONS,
  type RetryReason,
  retryCount,
} from './metrics.ts';
export {
  MIXED_AGGREGATES,
  type MixedAggregates,
  type ProducerLogger,
  type StreamProducerOptions,
} from './options.ts';
export * from './producer-error.ts';
export type { AcknowledgedRecord, FailedRecord, FlushReport, PutOutcome } from './put-outcome.ts';
export * from './send-error.ts';
export { createStreamProducer, type SendOptions, type StreamProducer } from './stream-producer.ts';
export * from './transport.ts';
