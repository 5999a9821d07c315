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
import { SHARD_IN_RECORDS_PER_SECOND, type ShardId } from '@twinstream/stream-model';
import type { ShardListing } from './shard-listing.ts';
import type { StreamReader } from './stream-reader.ts';

export interface KinesisStreamReaderOptions {
  readonly client: KinesisClient;
  readonly streamName: string;
  readonly shards: ShardListing;
  readonly clock: Clock;
}

/** GetRecords answers may be empty before the next record is reached; that many are read in search of it. */
const SEARCH_READS_MAX = 3;
/** A sample looks back this far. */
const SAMPLE_MS = 10_000;
/** A sample reads about this much of a shard, whatever the size of its records, out of the 2 MB a second that all its readers share. */
const SAMPLE_BYTES = 64 * 1024;
const SAMPLE_RECORDS_MIN = 10;
const SAMPLE_RECORDS_MAX = 500;
/** A rate over less than that is one of a burst. */
const SAMPLE_SPAN_MS_MIN = 1_000;

/** Asks a Kinesis stream. The stream's own name never changes; shards are listed at each call. */
export function kinesisStreamReader({
  client,
  streamName,
  shards: listing,
  clock,
}: KinesisStreamReaderOptions): StreamReader {
  /** Closed shards that were read to their end stay so. */
  const drained = new Map<ShardId, string>();
  const recordBytes = new Map<ShardId, number>();

  async function read(
    start: Omit<GetShardIteratorCommandInput, 'StreamName'>,
    limit: number,
    signal?: AbortSignal,
  ) {
    const options = signal === undefined ? {} : { abortSignal: signal };
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName: streamName, ...start }),
      options,
    );
    return client.send(new GetRecordsCommand({ ShardIterator, Limit: limit }), options);
  }

  function sampleRecords(shard: ShardId): number {
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
        client.send(
          new DescribeStreamSummaryCommand({ StreamName: streamName }),
          signal === undefined ? {} : { abortSignal: signal },
        ),
        listing(signal),
      ]);
      return { retentionHours: summary.StreamDescriptionSummary?.RetentionPeriodHours ?? 0, shards };
    },

    lag: async (shard, after, signal) => {
      const asOf = clock.now();
      if (after !== undefined && drained.get(shard) === after) return { lagMs: 0, asOf };
      let answer = await read(
        {
          ShardId: shard,
          ...(after === undefined
            ? { ShardIteratorType: 'TRIM_HORIZON' }
            : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after }),
        },
        1,
        signal,
      );
      for (let reads = 1; reads < SEARCH_READS_MAX && goesOn(answer); reads += 1) {
        const next = new GetRecordsCommand({ ShardIterator: answer.NextShardIterator, Limit: 1 });
        answer = await client.send(next, signal === undefined ? {} : { abortSignal: signal });
      }
      const arrival = answer.Records?.[0]?.ApproximateArrivalTimestamp;
      if (arrival !== undefined) return { lagMs: Math.max(0, clock.now() - arrival.getTime()), asOf };
      if (answer.NextShardIterator === undefined && after !== undefined) drained.set(shard, after);
      return { lagMs: answer.MillisBehindLatest ?? 0, asOf };
    },

    recordsPerSecond: async (shard, signal) => {
      const start = {
        ShardId: shard,
        ShardIteratorType: 'AT_TIMESTAMP',
        Timestamp: new Date(clock.now() - SAMPLE_MS),
      } as const;
      let answer = await read(start, sampleRecords(shard), signal);
      const records = answer.Records ?? [];
      noteSize(shard, records);
      if (!isWhole(answer) && spanMs(records) < SAMPLE_SPAN_MS_MIN) {
        // A burst says little. The size of the records is known by now, so that more of them are read.
        const more = { ShardIterator: answer.NextShardIterator, Limit: sampleRecords(shard) };
        answer = await client.send(
          new GetRecordsCommand(more),
          signal === undefined ? {} : { abortSignal: signal },
        );
        records.push(...(answer.Records ?? []));
        noteSize(shard, records);
      }
      if (isWhole(answer) || records.length === 0) return records.length / (SAMPLE_MS / 1_000);
      // Not all were read: their rate is that between the first and the last of them, and no shard takes more than its limit.
      const rate = (records.length - 1) / (Math.max(1, spanMs(records)) / 1_000);
      return Math.min(rate, SHARD_IN_RECORDS_PER_SECOND);
    },
  };
}

function isWhole({ MillisBehindLatest }: GetRecordsCommandOutput): boolean {
  return (MillisBehindLatest ?? 0) === 0;
}

/** From the first arrival to the last, in milliseconds. */
function spanMs(records: readonly _Record[]): number {
  const first = records[0]?.ApproximateArrivalTimestamp?.getTime() ?? 0;
  const last = records.at(-1)?.ApproximateArrivalTimestamp?.getTime() ?? 0;
  return last - first;
}

function goesOn({ Records, MillisBehindLatest, NextShardIterator }: GetRecordsCommandOutput): boolean {
  return (Records ?? []).length === 0 && (MillisBehindLatest ?? 0) > 0 && NextShardIterator !== undefined;
}
