import { SHARD_IN_BYTES_PER_SECOND, SHARD_IN_RECORDS_PER_SECOND } from '@twinstream/stream-model';
import { type Batches, POLL_SECONDS } from './batches.ts';
import { readable } from './figure.ts';
import { headsOfContainer } from './projector-memory.ts';
import { invocationSeconds } from './readable-after.ts';
import type { CompleteWorkload } from './workload.ts';

/** Something that somebody must know who builds on a plan. */
export interface CapacityWarning {
  /** Stable, for programs. */
  readonly key: 'unshared-pages' | 'full-batches' | 'hot-shard' | 'heads-forgotten' | 'slow-projector';
  readonly text: string;
}

export function capacityWarnings(workload: CompleteWorkload, batches: Batches): CapacityWarning[] {
  return [
    ...unsharedPages(workload, batches),
    ...fullBatches(workload, batches),
    ...hotShard(workload),
    ...headsForgotten(workload, batches),
    ...slowProjector(batches),
  ];
}

function unsharedPages(
  { eventsPerSecondPerDevice, arrivals }: CompleteWorkload,
  { batchSeconds }: Batches,
): CapacityWarning[] {
  const period = 1 / eventsPerSecondPerDevice;
  if (period <= batchSeconds) return [];
  const often = arrivals === 'regular' ? 'no two of its events share' : 'rarely do two of its events share';
  return [
    {
      key: 'unshared-pages',
      text: `a device sends an event in ${readable(period)} s, a batch gathers ${readable(batchSeconds)} s: ${often} a page, and each pays a page and a state of its own, as in the baseline. Two of them need ${readable(2 * period)} s.`,
    },
  ];
}

function fullBatches({ windowSeconds }: CompleteWorkload, { batchSeconds }: Batches): CapacityWarning[] {
  if (batchSeconds >= Math.max(POLL_SECONDS, windowSeconds)) return [];
  return [
    {
      key: 'full-batches',
      text: `batches are full after ${readable(batchSeconds)} s, before the window of ${windowSeconds} s ends: a longer one gains nothing. Aggregation, or more shards, would.`,
    },
  ];
}

/** A partition of a table is never the narrower place: pages and states of a device at the limits of its shard stay below 1,000 units a second. */
function hotShard({
  eventsPerSecondPerDevice,
  eventBytes,
  isAggregated,
}: CompleteWorkload): CapacityWarning[] {
  const isPastBytes = eventsPerSecondPerDevice * eventBytes > SHARD_IN_BYTES_PER_SECOND;
  const isPastRecords = !isAggregated && eventsPerSecondPerDevice > SHARD_IN_RECORDS_PER_SECOND;
  if (!isPastBytes && !isPastRecords) return [];
  return [
    {
      key: 'hot-shard',
      text: `one device sends ${readable(eventsPerSecondPerDevice)} events/s, more than its shard takes: 1 MiB/s or 1,000 records/s.`,
    },
  ];
}

function headsForgotten(workload: CompleteWorkload, batches: Batches): CapacityWarning[] {
  const devices = workload.deviceCount / batches.shardCount;
  const heads = headsOfContainer({ ...workload, shardCount: batches.shardCount });
  if (heads >= devices) return [];
  return [
    {
      key: 'heads-forgotten',
      text: `a shard has ${readable(devices)} devices, a container keeps the states of ${readable(heads)} in memory: states are read again. Plan more shards, or allow for the reads.`,
    },
  ];
}

function slowProjector(batches: Batches): CapacityWarning[] {
  const seconds = invocationSeconds(batches, 'twinstream');
  if (seconds <= batches.batchSeconds) return [];
  return [
    {
      key: 'slow-projector',
      text: `an invocation takes ${readable(seconds)} s, and the next batch is there after ${readable(batches.batchSeconds)} s: the projector falls behind. Plan more shards, or a longer window.`,
    },
  ];
}
