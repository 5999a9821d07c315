import { RETENTION_HOURS } from '@twinstream/stream-model';

const HOUR_SECONDS = 3_600;
/** Time that is left of the retention when a mapping gives a record up: it is still in the stream, as well as in the bucket. */
const GIVE_UP_HOURS = 24;

/** Limits of Lambda for Kinesis mappings: CreateEventSourceMapping, API reference, read 2026-11. */
export const MAPPING_LIMITS = {
  batchSize: { min: 1, max: 10_000 },
  batchingWindowSeconds: { min: 0, max: 300 },
  parallelizationFactor: { min: 1, max: 10 },
  /** -1 retries until the records expire. */
  retryAttempts: { min: -1, max: 10_000 },
  /** -1 keeps records until the stream drops them; otherwise at least a minute. */
  recordAgeSeconds: { min: 60, max: 604_800 },
} as const;

/** A request to a function: "Lambda quotas", developer guide, read 2026-11. A batch never exceeds it. */
export const INVOCATION_PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;

export type StartingPosition =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'LATEST' }
  | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number };

/** How a mapping reads a stream, invokes its function and gives up. */
export interface MappingSettings {
  /** Most records of one invocation, 1 to 10,000. */
  readonly batchSize: number;
  /** Longest wait for a fuller batch, counted from its first record. */
  readonly batchingWindowMs: number;
  /** Concurrent batches per shard, 1 to 10; records of one partition key keep their order. */
  readonly parallelizationFactor: number;
  /** The function's answer may name the first record that it did not finish. */
  readonly reportBatchItemFailures: boolean;
  /** A batch whose invocation failed is split in two, which uses up no retry. */
  readonly bisectBatchOnFunctionError: boolean;
  /** Invocations of the same batch after the first; -1 for as long as the records live. */
  readonly retryAttemptsMax: number;
  /** Records older than this are given up; -1 for as long as they live. */
  readonly recordAgeSecondsMax: number;
  /** Where shards without a checkpoint begin. */
  readonly startingPosition: StartingPosition;
}

/** Settings to consume by: LATEST has become the time of the mapping's creation, or a restart would skip records. */
export interface ResolvedSettings extends MappingSettings {
  readonly startingPosition: Exclude<StartingPosition, { type: 'LATEST' }>;
}

/**
 * Lambda's own defaults, which no pipeline should keep: without a limit of retries or age, one poison record blocks its
 * shard until the stream drops it.
 */
export const LAMBDA_DEFAULT_SETTINGS: MappingSettings = {
  batchSize: 100,
  batchingWindowMs: 0,
  parallelizationFactor: 1,
  reportBatchItemFailures: false,
  bisectBatchOnFunctionError: false,
  retryAttemptsMax: -1,
  recordAgeSecondsMax: -1,
  startingPosition: { type: 'LATEST' },
};

/**
 * The settings of both mappings of this project, on AWS and here.
 *
 * - Batches as large as Lambda allows: under load one page and one state update carry many events of a device.
 * - A window of 1 s on AWS, where a poll comes once a second anyway. Locally 200 ms ({@link LOCAL_BATCHING_WINDOW_MS}),
 *   so that the dashboard shows an event immediately.
 * - Parallelization 1: shard progress then knows what is finished (with more lanes one invocation cannot know it).
 * - Bisect and item failures, so that a failure stays with its records.
 * - Retries without end: the functions handle poison records themselves, so that a batch fails for a cause outside of it, and
 *   giving it up would only make a repair of an outage.
 * - Records are given up after six days, whole and to the bucket, a day before the stream drops them.
 */
export const PROJECT_MAPPING_SETTINGS: MappingSettings = {
  batchSize: 10_000,
  batchingWindowMs: 1_000,
  parallelizationFactor: 1,
  reportBatchItemFailures: true,
  bisectBatchOnFunctionError: true,
  retryAttemptsMax: -1,
  recordAgeSecondsMax: (RETENTION_HOURS - GIVE_UP_HOURS) * HOUR_SECONDS,
  startingPosition: { type: 'TRIM_HORIZON' },
};

/** Window of the embedded mappings, in milliseconds. The Lambda API knows whole seconds only and reports it as 0. */
export const LOCAL_BATCHING_WINDOW_MS = 200;

/** {@link PROJECT_MAPPING_SETTINGS} with the local window. */
export const LOCAL_MAPPING_SETTINGS: MappingSettings = {
  ...PROJECT_MAPPING_SETTINGS,
  batchingWindowMs: LOCAL_BATCHING_WINDOW_MS,
};
