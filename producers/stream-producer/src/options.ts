import { type Clock, systemClock } from '@twinstream/runtime';
import {
  type BackoffOptions,
  PUT_RECORDS_BYTES_MAX,
  PUT_RECORDS_RECORDS_MAX,
  RECORD_BYTES_MAX,
  SHARD_IN_BYTES_PER_SECOND,
  SHARD_IN_RECORDS_PER_SECOND,
} from '@twinstream/stream-model';
import { RECORD_BOOKKEEPING_BYTES } from './buffer-capacity.ts';
import { ProducerError } from './producer-error.ts';
import type { StreamTransport } from './transport.ts';

/** Where a producer logs to; a logger of pino is one. */
export interface ProducerLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What is sent again of an aggregate of which the shard that took it owns some records only. */
export const MIXED_AGGREGATES = ['divide', 'resend'] as const;
export type MixedAggregates = (typeof MIXED_AGGREGATES)[number];

/** How a producer works. Everything but `transport` has a default. */
export interface StreamProducerOptions {
  /** The stream. `kinesisTransport({ streamName })` for a real one; `close` closes it. */
  readonly transport: StreamTransport;
  /**
   * Packs many records into one Kinesis record, in the KPL format. Default false: each record is a Kinesis record of its
   * own, under its own partition key. Then a device has one record in flight at a time, so it puts one in a round trip
   * (100 a second at 10 ms), and a shard takes 1,000 a second of all devices together. With aggregation a device puts
   * whatever a lane carries, 51,200 bytes in a round trip by default, and a shard takes about 5,400 events of 170 bytes.
   *
   * A stream keeps to one of the two while a consumer takes the keys of a shard apart: see AGGREGATE_LANES_PER_SHARD.
   */
  readonly aggregate?: boolean;
  /**
   * With `aggregate`: the treatment of an aggregate that was on its way during a reshard and landed in a shard that owns
   * some of its records only. Default `divide`: these are acknowledged there, the others are sent again to the shard that
   * owns them. `resend`: all are sent again before any later record of their devices. The Kinesis Client Library drops such
   * an aggregate as a whole, so that its readers need `resend`, and get each record once; other readers then get the
   * records of these aggregates twice.
   */
  readonly mixedAggregates?: MixedAggregates;
  /** Size at which an aggregated record is sent without waiting, in bytes. Minimum 1, at most `recordBytesMax`, default 51,200 (as the KPL) or `recordBytesMax` if that is less. */
  readonly aggregateBytesMax?: number;
  /** Records in one aggregated record. Minimum 1, default 4,096. */
  readonly aggregateRecordsMax?: number;
  /** Linger: longest time that a record waits for its batch to fill, in milliseconds. Minimum 0, below `deadlineMs`, default 50. */
  readonly lingerMs?: number;
  /** Kinesis records in one request. 1–500, default 500. */
  readonly requestRecordsMax?: number;
  /** Data and keys of one request, in bytes. At least `recordBytesMax`, at most 10 MiB, default 4 MiB or `recordBytesMax` if that is more. */
  readonly requestBytesMax?: number;
  /** Concurrent requests. Minimum 1, default 16. */
  readonly requestsInFlightMax?: number;
  /** After this time without an answer a request counts as lost, in milliseconds. Minimum 1, default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Data and key of one Kinesis record, as the stream is set up, in bytes. 1,024–10 MiB, default 1 MiB. */
  readonly recordBytesMax?: number;
  /**
   * Memory for records that have no outcome yet, in bytes: data, keys and 512 bytes of bookkeeping each. `put` waits while
   * it is full. At least `recordBytesMax` + 512, default 32 MiB.
   */
  readonly bufferBytesMax?: number;
  /** A record without an outcome this long after `put` accepted it is handed back, in milliseconds. Minimum 1, default 300,000. */
  readonly deadlineMs?: number;
  /** Wait before each retry: full jitter. Default base 100 ms, cap 5,000 ms; minimum 1. */
  readonly backoff?: BackoffOptions;
  /** What a shard takes, in bytes a second; the limiter lowers its rate by itself when the shard throttles. Minimum 1, default 1 MiB; Infinity leaves it to the throttles. */
  readonly shardBytesPerSecond?: number;
  /** What a shard takes, in Kinesis records a second. Minimum 1, default 1,000; Infinity as above. */
  readonly shardRecordsPerSecond?: number;
  /** Default: the system's clock. All waiting goes through it. */
  readonly clock?: Clock;
  /** Draws from [0, 1) for jitter. Default Math.random. */
  readonly random?: () => number;
  /** Default: no log. */
  readonly logger?: ProducerLogger;
}

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly transport: StreamTransport;
  readonly aggregate: boolean;
  readonly mixedAggregates: MixedAggregates;
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
  readonly logger: ProducerLogger | undefined;
}

const KIB = 1_024;
const MIB = 1_024 * KIB;
/** A stream can opt in to records up to this size ("Quotas and limits", developer guide, read 2026-11). */
const LARGE_RECORD_BYTES_MAX = 10 * MIB;
const COUNT_MAX = Number.MAX_SAFE_INTEGER;

const DEFAULTS = {
  aggregate: false,
  mixedAggregates: 'divide',
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

  if (!MIXED_AGGREGATES.includes(resolved.mixedAggregates)) {
    faults.push(`mixedAggregates: ${resolved.mixedAggregates} is not one of ${MIXED_AGGREGATES.join(', ')}`);
  }
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
    throw new ProducerError(
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
