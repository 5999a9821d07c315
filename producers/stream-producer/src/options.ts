import type { Clock, Logger } from '@twinstream/runtime';
import type { BackoffOptions } from '@twinstream/stream-model';
import type { StreamTransport } from './transport.ts';

/** How a producer works. Everything but `transport` has a default. */
export interface StreamProducerOptions {
  /** The stream. `kinesisTransport({ streamName })` for a real one; `close` closes it. */
  readonly transport: StreamTransport;
  /**
   * Packs many records into one Kinesis record, in the KPL format. Default false: each record is a Kinesis record of its
   * own, under its own partition key. Then a device has one record on its way at a time, so it puts one in a round trip
   * (100 a second at 10 ms), and a shard takes 1,000 a second of all devices together. With aggregation a device puts
   * whatever a lane carries, 51,200 bytes in a round trip by default, and a shard takes about 5,400 events of 170 bytes.
   *
   * A stream keeps to one of the two while a consumer takes the keys of a shard apart: see AGGREGATE_LANES_PER_SHARD.
   */
  readonly aggregate?: boolean;
  /** Size at which an aggregated record is sent without waiting, in bytes. Minimum 1, at most `recordBytesMax`, default 51,200 (as the KPL) or `recordBytesMax` if that is less. */
  readonly aggregateBytesMax?: number;
  /** Records in one aggregated record. Minimum 1, default 4,096. */
  readonly aggregateRecordsMax?: number;
  /** Longest time a record waits for company, in milliseconds. Minimum 0, below `deadlineMs`, default 50. */
  readonly lingerMs?: number;
  /** Kinesis records in one request. 1–500, default 500. */
  readonly requestRecordsMax?: number;
  /** Data and keys of one request, in bytes. At least `recordBytesMax`, at most 10 MiB, default 4 MiB or `recordBytesMax` if that is more. */
  readonly requestBytesMax?: number;
  /** Requests on their way at once. Minimum 1, default 16. */
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
  /** What a shard takes, in bytes a second; the limiter learns lower rates by itself. Minimum 1, default 1 MiB; Infinity leaves it to the throttles. */
  readonly shardBytesPerSecond?: number;
  /** What a shard takes, in Kinesis records a second. Minimum 1, default 1,000; Infinity as above. */
  readonly shardRecordsPerSecond?: number;
  /** Default: the system's clock. All waiting goes through it. */
  readonly clock?: Clock;
  /** Draws from [0, 1) for jitter. Default Math.random. */
  readonly random?: () => number;
  /** Default: no log. */
  readonly logger?: Logger;
}
