import { SHARD_IN_BYTES_PER_SECOND, SHARD_IN_RECORDS_PER_SECOND } from '@twinstream/stream-model';
import { ASSUMPTIONS } from './assumptions.ts';
import { type EventCount, eventCounts, meanOver } from './event-counts.ts';
import { eventsOfPageMax } from './page-size.ts';
import type { CompleteWorkload } from './workload.ts';

/** Lambda polls a shard once a second, and hands over at most this ("Process Kinesis records", read 2026-11). */
export const POLL_SECONDS = 1;
export const BATCH_RECORDS_MAX = 10_000;
/** 6 MB of request, of which base64 takes a quarter. */
export const BATCH_DATA_BYTES_MAX = (6 * 1024 * 1024 * 3) / 4;

/** How events reach a function. */
export interface Batches {
  readonly eventsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
  readonly recordBytes: number;
  readonly shardCount: number;
  /** Between two batches of a shard. */
  readonly batchSeconds: number;
  readonly eventsPerBatch: number;
  /** Of the batches that hold any event of a device, how many hold how many. */
  readonly counts: readonly EventCount[];
  /** Mean number of events of one device in a batch that holds any. */
  readonly eventsPerDevice: number;
  /** The same, or less where they need several pages. */
  readonly eventsPerPage: number;
}

/** Shards, and what one batch of a shard holds. */
export function planBatches(workload: CompleteWorkload): Batches {
  const { deviceCount, eventsPerSecondPerDevice, eventBytes, isAggregated, windowSeconds, shardUse } =
    workload;
  const eventsPerSecond = deviceCount * eventsPerSecondPerDevice;
  const putBytes = eventBytes + ASSUMPTIONS.keyBytes;
  const bytesPerSecond = eventsPerSecond * putBytes;
  const recordBytes = isAggregated ? Math.max(putBytes, ASSUMPTIONS.aggregateBytes) : putBytes;
  const recordsPerSecond = bytesPerSecond / recordBytes;
  const load = Math.max(
    bytesPerSecond / SHARD_IN_BYTES_PER_SECOND,
    recordsPerSecond / SHARD_IN_RECORDS_PER_SECOND,
  );
  const shardCount = Math.max(1, Math.ceil(load / shardUse));
  const perShard = { records: recordsPerSecond / shardCount, bytes: bytesPerSecond / shardCount };
  const batchSeconds = Math.min(
    Math.max(windowSeconds, POLL_SECONDS),
    BATCH_RECORDS_MAX / perShard.records,
    BATCH_DATA_BYTES_MAX / perShard.bytes,
  );
  const counts = eventCounts(eventsPerSecondPerDevice * batchSeconds, workload.arrivals);
  const eventsPerDevice = meanOver(counts, (events) => events);
  const pagesPerDevice = meanOver(counts, (events) => Math.ceil(events / eventsOfPageMax(eventBytes)));
  return {
    eventsPerSecond,
    bytesPerSecond,
    recordsPerSecond,
    recordBytes,
    shardCount,
    batchSeconds,
    eventsPerBatch: (eventsPerSecond / shardCount) * batchSeconds,
    counts,
    eventsPerDevice,
    eventsPerPage: eventsPerDevice / pagesPerDevice,
  };
}
