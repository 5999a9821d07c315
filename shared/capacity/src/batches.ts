import { type EventCount, eventCounts, meanOver } from './event-counts.ts';
import { eventsOfPageMax } from './page-size.ts';
import { invocationFullSeconds, type StreamLoad, shardsFor, streamLoad } from './stream-load.ts';
import type { CompleteWorkload } from './workload.ts';

/** Lambda polls a shard once a second ("Process Kinesis records", read 2026-11). */
export const POLL_SECONDS = 1;

/** How events reach a function. */
export interface Batches extends StreamLoad {
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
  const { eventsPerSecondPerDevice, eventBytes, windowSeconds, shardUse } = workload;
  const shardCount = shardsFor(workload, (load, shards) => load.shards <= shardUse * shards * (1 + ROUNDING));
  const load = streamLoad(workload, shardCount);
  const batchSeconds = Math.min(
    Math.max(windowSeconds, POLL_SECONDS),
    invocationFullSeconds(load, shardCount),
  );
  const counts = eventCounts(eventsPerSecondPerDevice * batchSeconds, workload.arrivals);
  const eventsPerDevice = meanOver(counts, (events) => events);
  const pagesPerDevice = meanOver(counts, (events) => Math.ceil(events / eventsOfPageMax(eventBytes)));
  return {
    ...load,
    shardCount,
    batchSeconds,
    eventsPerBatch: (load.eventsPerSecond / shardCount) * batchSeconds,
    counts,
    eventsPerDevice,
    eventsPerPage: eventsPerDevice / pagesPerDevice,
  };
}

/** A use that was computed from whole shards gives these shards again. */
const ROUNDING = 1e-9;
