import {
  SHARD_IN_BYTES_PER_SECOND,
  SHARD_IN_RECORDS_PER_SECOND,
  SHARD_OUT_BYTES_PER_SECOND,
} from '@twinstream/stream-model';
import { ASSUMPTIONS } from './assumptions.ts';
import type { CompleteWorkload } from './workload.ts';

/** Lambda hands over no more records, in a request of no more bytes ("Process Kinesis records", "Lambda quotas", read 2026-11). */
export const BATCH_RECORDS_MAX = 10_000;
export const INVOCATION_BYTES_MAX = 6 * 1024 * 1024;
/** Data travels as base64. */
const BASE64 = 4 / 3;

/** What producers put into a stream of some number of shards. */
export interface StreamLoad {
  readonly eventsPerSecond: number;
  /** Data and partition keys. */
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
  readonly recordBytes: number;
  readonly eventsPerRecord: number;
  /** Shards that would be full, of what comes in or of what goes out to all readers. */
  readonly shards: number;
}

/**
 * Records of a workload. Aggregated, each producer keeps {@link ASSUMPTIONS.lanesPerShard} lanes for each shard and sends all that hold anything
 * when the first of them has lingered: a lane that holds any event then holds m / (1 − e^−m), m = its rate × linger (a Poisson count above zero),
 * up to the size of a record. More shards or producers therefore mean smaller records.
 */
export function streamLoad(workload: CompleteWorkload, shardCount: number): StreamLoad {
  const { deviceCount, eventsPerSecondPerDevice, eventBytes } = workload;
  const eventsPerSecond = deviceCount * eventsPerSecondPerDevice;
  const putBytes = eventBytes + ASSUMPTIONS.keyBytes;
  const eventsPerRecord = workload.isAggregated
    ? eventsOfAggregate(workload, eventsPerSecond, shardCount)
    : 1;
  const recordBytes = workload.isAggregated
    ? eventsPerRecord * (putBytes + ASSUMPTIONS.aggregateEventOverheadBytes) +
      ASSUMPTIONS.aggregateRecordOverheadBytes
    : putBytes;
  const recordsPerSecond = eventsPerSecond / eventsPerRecord;
  const bytesPerSecond = recordsPerSecond * recordBytes;
  return {
    eventsPerSecond,
    bytesPerSecond,
    recordsPerSecond,
    recordBytes,
    eventsPerRecord,
    shards: Math.max(
      bytesPerSecond / SHARD_IN_BYTES_PER_SECOND,
      recordsPerSecond / SHARD_IN_RECORDS_PER_SECOND,
      (bytesPerSecond * workload.readerCount) / SHARD_OUT_BYTES_PER_SECOND,
    ),
  };
}

function eventsOfAggregate(workload: CompleteWorkload, eventsPerSecond: number, shardCount: number): number {
  const { deviceCount, eventBytes, lingerSeconds, producerCount } = workload;
  const { keyBytes, aggregateBytes, aggregateEvents, aggregateEventOverheadBytes, lanesPerShard } =
    ASSUMPTIONS;
  const lanes = Math.min(producerCount * shardCount * lanesPerShard, deviceCount);
  const mean = (eventsPerSecond * lingerSeconds) / lanes;
  const most = Math.floor(aggregateBytes / (eventBytes + keyBytes + aggregateEventOverheadBytes));
  const lingering = mean === 0 ? 1 : mean / -Math.expm1(-mean);
  return Math.min(lingering, Math.max(1, Math.min(most, aggregateEvents)));
}

/** Seconds after which the batch of a shard is as large as Lambda hands over: by its records, or by the bytes of its request. */
export function invocationFullSeconds(load: StreamLoad, shardCount: number): number {
  const requestBytes = ASSUMPTIONS.envelopeBytes + load.recordBytes * BASE64;
  const records = Math.min(BATCH_RECORDS_MAX, INVOCATION_BYTES_MAX / requestBytes);
  return (records * shardCount) / load.recordsPerSecond;
}

/** The fewest shards that are enough by a criterion which, once met, more shards meet as well. */
export function shardsFor(
  workload: CompleteWorkload,
  isEnough: (load: StreamLoad, shardCount: number) => boolean,
): number {
  const enough = (shardCount: number) => isEnough(streamLoad(workload, shardCount), shardCount);
  let most = 1;
  while (!enough(most)) most *= 2;
  let tooFew = Math.floor(most / 2);
  while (most - tooFew > 1) {
    const middle = Math.floor((tooFew + most) / 2);
    if (enough(middle)) most = middle;
    else tooFew = middle;
  }
  return most;
}
