import { isoText } from '@twinstream/command-line';
import {
  GET_RECORDS_CALLS_PER_SECOND,
  GET_RECORDS_RECORDS_MAX,
  openRecord,
  SHARD_IN_BYTES_PER_SECOND,
  SHARD_IN_RECORDS_PER_SECOND,
  SHARD_OUT_BYTES_PER_SECOND,
  type ShardId,
  type StreamRecord,
} from '@twinstream/stream-model';
import type { OperationsServices } from '../services.ts';
import { listShards, readShard, type StreamAccess, shardIterator } from '../shard-reads.ts';
import { exactly, type PartPlan, type Range, type ShardPlan, sumOf } from './replay-plan.ts';
import type { ReplayPart, ReplaySpec } from './replay-spec.ts';

/** What of each shard is counted record by record; some five seconds of a polite reader. */
const COUNTED_BYTES_MAX = 4 * 1_024 * 1_024;
/** Reads of a shard: answers may be empty before the next record is reached. */
const READS_MAX = 200;
/** Share of what a shard serves; the live consumers have the rest. */
const POLITE_SHARE = 0.4;

/** Counts what a window of the stream holds, as far as each shard's bytes may be read for it; the rest has an upper bound. */
export async function planStream(
  { kinesis, clock, configuration }: OperationsServices,
  { shards: wanted }: Pick<ReplaySpec, 'shards'>,
  part: ReplayPart,
  signal: AbortSignal,
): Promise<PartPlan> {
  const stream: StreamAccess = { client: kinesis, streamName: configuration.streamName, clock };
  const shards = (await listShards(stream, signal)).filter(
    ({ shardId }) => wanted === undefined || wanted.includes(shardId),
  );
  const counts = await Promise.all(
    shards.map(async ({ shardId }) => [shardId, await countShard(stream, shardId, part, signal)] as const),
  );
  const sizes = counts.map(([, count]) => sizeOf(count, part));
  const isCounted = counts.every(([, { isWhole }]) => isWhole);
  return {
    ...part,
    events: sumOf(sizes.map(({ events }) => events)),
    bytes: sumOf(sizes.map(({ bytes }) => bytes)),
    basis: isCounted
      ? 'counted'
      : `counted in the first ${COUNTED_BYTES_MAX / 1_024 ** 2} MiB of each shard; at most what a shard takes in from there on, 1 MiB and 1,000 records a second`,
    shards: counts.map(
      ([shardId, { first }], index): ShardPlan => ({
        shardId,
        start: first?.sequenceNumber ?? null,
        startArrival: first === undefined ? null : isoText(first.arrivalTime),
        events: sizes[index]?.events ?? exactly(0),
      }),
    ),
  };
}

/** What was counted of one shard. */
export interface ShardCount {
  readonly first: StreamRecord | undefined;
  readonly records: number;
  readonly events: number;
  readonly bytes: number;
  /** Arrival of the last record that was counted. */
  readonly lastArrivalTime: number;
  /** True where the window holds no more. */
  readonly isWhole: boolean;
}

async function countShard(
  stream: StreamAccess,
  shardId: ShardId,
  { fromMs, toMs }: ReplayPart,
  signal: AbortSignal,
): Promise<ShardCount> {
  const start = fromMs === 0 ? { from: 'beginning' as const } : { from: 'time' as const, timeMs: fromMs };
  let iterator = await shardIterator(stream, shardId, start, signal);
  let first: StreamRecord | undefined;
  let [records, events, bytes, lastArrivalTime] = [0, 0, 0, fromMs];
  const counted = (isWhole: boolean): ShardCount => ({
    first,
    records,
    events,
    bytes,
    lastArrivalTime,
    isWhole,
  });
  for (let reads = 0; reads < READS_MAX && iterator !== undefined && bytes < COUNTED_BYTES_MAX; reads += 1) {
    const read = await readShard(stream, iterator, GET_RECORDS_RECORDS_MAX, signal);
    let readBytes = 0;
    for (const record of read.records) {
      readBytes += record.data.length;
      // Arrivals step back a little at most: the first one after the window is its end.
      if (record.arrivalTime >= toMs) return counted(true);
      first ??= record;
      records += 1;
      events += openRecord(record).entries.length;
      bytes += record.data.length;
      lastArrivalTime = record.arrivalTime;
    }
    iterator = read.next;
    if (read.behindMs === 0) return counted(true);
    const forCalls = 1 / (GET_RECORDS_CALLS_PER_SECOND * POLITE_SHARE);
    const forBytes = readBytes / (SHARD_OUT_BYTES_PER_SECOND * POLITE_SHARE);
    if (iterator !== undefined && bytes < COUNTED_BYTES_MAX)
      await stream.clock.sleep(Math.max(forCalls, forBytes) * 1_000, signal);
  }
  return counted(iterator === undefined);
}

/** The window of one shard: what was counted, and at most what the shard can have taken in after that. */
function sizeOf(
  { records, events, bytes, lastArrivalTime, isWhole }: ShardCount,
  { toMs }: Pick<ReplayPart, 'toMs'>,
): { readonly events: Range; readonly bytes: Range } {
  if (isWhole) return { events: exactly(events), bytes: exactly(bytes) };
  const seconds = Math.max(0, toMs - lastArrivalTime) / 1_000;
  const moreBytes = seconds * SHARD_IN_BYTES_PER_SECOND;
  // Events as large, and records as full, as those that were counted.
  const byBytes = bytes === 0 ? moreBytes : (moreBytes * events) / bytes;
  const byRecords = seconds * SHARD_IN_RECORDS_PER_SECOND * (records === 0 ? 1 : events / records);
  const more = Math.ceil(Math.min(byBytes, byRecords));
  return {
    events: { min: events, max: events + more },
    bytes: { min: bytes, max: Math.ceil(bytes + moreBytes) },
  };
}
