import {
  type _Record,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import type { Clock } from '@twinstream/runtime';
import { GET_RECORDS_RECORDS_MAX, SHARD_IN_RECORDS_PER_SECOND, type ShardId } from '@twinstream/stream-model';
import type { ShardListing } from './shard-listing.ts';
import type { StreamReader } from './stream-reader.ts';

export interface KinesisStreamReaderOptions {
  readonly client: KinesisClient;
  readonly streamName: string;
  readonly shards: ShardListing;
  readonly clock: Clock;
  /**
   * True reads as many records as one answer holds, and counts those after the checkpoint: for a look now and then. Default:
   * one record for the lag and a small sample for the rate, so that a look every two seconds leaves the shard's reads to its
   * consumers.
   */
  readonly isThorough?: boolean;
  /** How a call is repeated when it is throttled. Default: as the client does. */
  readonly retry?: <Answer>(call: () => Promise<Answer>, signal?: AbortSignal) => Promise<Answer>;
}

/** GetRecords answers may be empty before the next record is reached; that many are read in search of it. */
const SEARCH_READS_MAX = 3;
/** A sample looks back this far. */
const SAMPLE_MS = 10_000;
/** A sample reads about this much of a shard, whatever the size of its records, out of the 2 MB a second that all its readers share. */
const SAMPLE_BYTES = 64 * 1024;
const SAMPLE_RECORDS_MIN = 10;
const SAMPLE_RECORDS_MAX = 500;
/** Over less than that, records are those of one burst and tell no rate. */
const SAMPLE_SPAN_MS_MIN = 100;

/** Asks a Kinesis stream. The stream's own name never changes; shards are listed at each call. */
export function kinesisStreamReader({
  client,
  streamName,
  shards: listing,
  clock,
  isThorough = false,
  retry = (call) => call(),
}: KinesisStreamReaderOptions): StreamReader {
  /** Closed shards that were read to their end stay so. */
  const drained = new Map<ShardId, string>();
  const recordBytes = new Map<ShardId, number>();
  const lagRecordsMax = isThorough ? GET_RECORDS_RECORDS_MAX : 1;

  async function iteratorOf(start: Omit<GetShardIteratorCommandInput, 'StreamName'>, signal?: AbortSignal) {
    const command = new GetShardIteratorCommand({ StreamName: streamName, ...start });
    const { ShardIterator } = await retry(() => client.send(command, optionsOf(signal)), signal);
    return ShardIterator;
  }

  function recordsOf(
    iterator: string | undefined,
    limit: number,
    signal?: AbortSignal,
  ): Promise<GetRecordsCommandOutput> {
    const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: limit });
    return retry(() => client.send(command, optionsOf(signal)), signal);
  }

  function sampleRecords(shard: ShardId): number {
    if (isThorough) return GET_RECORDS_RECORDS_MAX;
    const limit = Math.round(SAMPLE_BYTES / (recordBytes.get(shard) ?? SAMPLE_BYTES / SAMPLE_RECORDS_MIN));
    return Math.min(Math.max(limit, SAMPLE_RECORDS_MIN), SAMPLE_RECORDS_MAX);
  }

  function noteSize(shard: ShardId, records: readonly _Record[]): void {
    if (records.length === 0) return;
    const bytes = records.reduce((sum, record) => sum + (record.Data?.length ?? 0), 0);
    recordBytes.set(shard, Math.max(1, bytes / records.length));
  }

  return {
    describe: async (signal) => {
      const [summary, shards] = await Promise.all([
        client.send(new DescribeStreamSummaryCommand({ StreamName: streamName }), optionsOf(signal)),
        listing(signal),
      ]);
      return { retentionHours: summary.StreamDescriptionSummary?.RetentionPeriodHours ?? 0, shards };
    },

    lag: async (shard, after, signal) => {
      const asOf = clock.now();
      const counted = (count: number, hasMore: boolean) =>
        isThorough ? { records: { count, hasMore } } : {};
      if (after !== undefined && drained.get(shard) === after)
        return { lagMs: 0, asOf, ...counted(0, false) };
      const iterator = await iteratorOf(
        {
          ShardId: shard,
          ...(after === undefined
            ? { ShardIteratorType: 'TRIM_HORIZON' }
            : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after }),
        },
        signal,
      );
      let answer = await recordsOf(iterator, lagRecordsMax, signal);
      for (let reads = 1; reads < SEARCH_READS_MAX && goesOn(answer); reads += 1) {
        answer = await recordsOf(answer.NextShardIterator, lagRecordsMax, signal);
      }
      const { Records = [], MillisBehindLatest: behindMs = 0, NextShardIterator } = answer;
      const arrival = Records[0]?.ApproximateArrivalTimestamp;
      const records = counted(Records.length, behindMs > 0);
      if (arrival !== undefined) {
        return { lagMs: Math.max(0, clock.now() - arrival.getTime()), asOf, ...records };
      }
      if (NextShardIterator === undefined && after !== undefined) drained.set(shard, after);
      return { lagMs: behindMs, asOf, ...records };
    },

    recordsPerSecond: async (shard, signal) => {
      const start = {
        ShardId: shard,
        ShardIteratorType: 'AT_TIMESTAMP',
        Timestamp: new Date(clock.now() - SAMPLE_MS),
      } as const;
      const limit = sampleRecords(shard);
      const answer = await recordsOf(await iteratorOf(start, signal), limit, signal);
      const records = answer.Records ?? [];
      noteSize(shard, records);
      // An emulator was seen to count none as behind when what is left arrived within the same millisecond.
      const isWhole = records.length < limit && (answer.MillisBehindLatest ?? 0) === 0;
      if (isWhole) return records.length / (SAMPLE_MS / 1_000);
      // Not all were read: their rate is that between the first and the last of them.
      const spanMs = arrivalMs(records.at(-1)) - arrivalMs(records[0]);
      if (spanMs < SAMPLE_SPAN_MS_MIN) return undefined;
      return Math.min((records.length - 1) / (spanMs / 1_000), SHARD_IN_RECORDS_PER_SECOND);
    },
  };
}

function optionsOf(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { abortSignal: signal };
}

function arrivalMs(record: _Record | undefined): number {
  return record?.ApproximateArrivalTimestamp?.getTime() ?? 0;
}

function goesOn({ Records, MillisBehindLatest, NextShardIterator }: GetRecordsCommandOutput): boolean {
  return (Records ?? []).length === 0 && (MillisBehindLatest ?? 0) > 0 && NextShardIterator !== undefined;
}
