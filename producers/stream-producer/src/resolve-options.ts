import { type Clock, CodedError, type Logger, systemClock } from '@twinstream/runtime';
import {
  type BackoffOptions,
  PUT_RECORDS_BYTES_MAX,
  PUT_RECORDS_RECORDS_MAX,
  RECORD_BYTES_MAX,
  SHARD_IN_BYTES_PER_SECOND,
  SHARD_IN_RECORDS_PER_SECOND,
} from '@twinstream/stream-model';
import { RECORD_BOOKKEEPING_BYTES } from './buffer-room.ts';
import type { StreamProducerOptions } from './options.ts';
import type { StreamTransport } from './transport.ts';

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly transport: StreamTransport;
  readonly aggregate: boolean;
  readonly aggregateBytesMax: number;
  readonly aggregateRecordsMax: number;
  readonly lingerMs: number;
  readonly requestRecordsMax: number;
  readonly requestBytesMax: number;
  readonly requestsInFlightMax: number;
  readonly requestTimeoutMs: number;
  readonly recordBytesMax: number;
  readonly bufferBytesMax: number;
  readonly deadlineMs: number;
  readonly backoff: BackoffOptions;
  readonly shardBytesPerSecond: number;
  readonly shardRecordsPerSecond: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger | undefined;
}

const KIB = 1_024;
const MIB = 1_024 * KIB;
/** A stream can opt in to records up to this size ("Quotas and limits", developer guide, read 2026-11). */
const LARGE_RECORD_BYTES_MAX = 10 * MIB;
const COUNT_MAX = Number.MAX_SAFE_INTEGER;

const DEFAULTS = {
  aggregate: false,
  /** AggregationMaxSize of the KPL (default_config.properties, read 2026-11). */
  aggregateBytesMax: 51_200,
  aggregateRecordsMax: 4_096,
  lingerMs: 50,
  requestRecordsMax: PUT_RECORDS_RECORDS_MAX,
  requestBytesMax: 4 * MIB,
  requestsInFlightMax: 16,
  requestTimeoutMs: 10_000,
  recordBytesMax: RECORD_BYTES_MAX,
  bufferBytesMax: 32 * MIB,
  deadlineMs: 300_000,
  backoff: { baseMs: 100, capMs: 5_000 },
  shardBytesPerSecond: SHARD_IN_BYTES_PER_SECOND,
  shardRecordsPerSecond: SHARD_IN_RECORDS_PER_SECOND,
} as const;

/** Fills in the defaults. Throws `INVALID_PRODUCER_OPTIONS` naming every faulty option and what it should be. */
export function resolveOptions(options: StreamProducerOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    ...DEFAULTS,
    // The largest request holds the largest record, and that the largest aggregate, whatever a stream has opted in to.
    requestBytesMax: Math.max(DEFAULTS.requestBytesMax, options.recordBytesMax ?? 0),
    aggregateBytesMax: Math.min(DEFAULTS.aggregateBytesMax, options.recordBytesMax ?? RECORD_BYTES_MAX),
    clock: systemClock,
    random: Math.random,
    logger: undefined,
    ...withoutUndefined(options),
  };
  const faults: string[] = [];
  const integer = (name: keyof ResolvedOptions, min: number, max: number): void => {
    const value = resolved[name];
    if (!Number.isInteger(value) || Number(value) < min || Number(value) > max) {
      faults.push(`${name}: ${value} is not an integer from ${min} to ${max}`);
    }
  };
  const atLeast = (name: string, value: number, min: number): void => {
    if (!(value >= min)) faults.push(`${name}: ${value} is not a number of at least ${min}`);
  };

  integer('recordBytesMax', KIB, LARGE_RECORD_BYTES_MAX);
  integer('aggregateBytesMax', 1, resolved.recordBytesMax);
  integer('aggregateRecordsMax', 1, COUNT_MAX);
  integer('requestRecordsMax', 1, PUT_RECORDS_RECORDS_MAX);
  integer('requestBytesMax', resolved.recordBytesMax, PUT_RECORDS_BYTES_MAX);
  integer('requestsInFlightMax', 1, COUNT_MAX);
  integer('bufferBytesMax', resolved.recordBytesMax + RECORD_BOOKKEEPING_BYTES, COUNT_MAX);
  atLeast('lingerMs', resolved.lingerMs, 0);
  atLeast('requestTimeoutMs', resolved.requestTimeoutMs, 1);
  atLeast('deadlineMs', resolved.deadlineMs, 1);
  if (resolved.lingerMs >= resolved.deadlineMs) {
    faults.push(`lingerMs: ${resolved.lingerMs} is not below deadlineMs, ${resolved.deadlineMs}`);
  }
  atLeast('backoff.baseMs', resolved.backoff.baseMs, 1);
  atLeast('backoff.capMs', resolved.backoff.capMs, resolved.backoff.baseMs);
  atLeast('shardBytesPerSecond', resolved.shardBytesPerSecond, 1);
  atLeast('shardRecordsPerSecond', resolved.shardRecordsPerSecond, 1);
  if (faults.length > 0) {
    throw new CodedError(
      'INVALID_PRODUCER_OPTIONS',
      `producer options are invalid\n  ${faults.join('\n  ')}`,
    );
  }
  return Object.freeze(resolved);
}

/** An option that is given as undefined counts as absent. */
function withoutUndefined(options: StreamProducerOptions): StreamProducerOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { transport: options.transport, ...Object.fromEntries(given) };
}
