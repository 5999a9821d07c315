import { GET_RECORDS_RECORDS_MAX, isSequenceNumber, isShardId, type ShardId } from '@twinstream/stream-model';
import { z } from 'zod';
import { type KinesisJsonClient, KinesisRefusal } from './kinesis-json-client.ts';
import type { ReadOutcome, ShardLineage, ShardReader, ShardStart } from './shard-reader.ts';

const SHARD_ID = z.custom<ShardId>((value) => typeof value === 'string' && isShardId(value));

const SHARDS_ANSWER = z.object({
  Shards: z.array(
    z.object({
      ShardId: SHARD_ID,
      ParentShardId: SHARD_ID.optional(),
      AdjacentParentShardId: SHARD_ID.optional(),
    }),
  ),
  NextToken: z.string().nullish(),
});
const ITERATOR_ANSWER = z.object({ ShardIterator: z.string() });

/** The answer of GetRecords. Records come 10,000 at a time, so they are checked by hand, not by schema. */
interface RecordsAnswer {
  readonly Records: readonly RecordAnswer[];
  readonly NextShardIterator?: string | null;
  readonly MillisBehindLatest: number;
}
interface RecordAnswer {
  readonly SequenceNumber: string;
  readonly PartitionKey: string;
  readonly Data: string;
  readonly ApproximateArrivalTimestamp: number;
}

/** Pages of ListShards that are followed; each holds up to 1,000 shards. */
const LIST_PAGES_MAX = 100;

/** False where Kinesis says that there is no stream of that name. Throws what keeps it from answering. */
export async function streamExists(client: KinesisJsonClient, streamName: string): Promise<boolean> {
  try {
    await client.call('DescribeStreamSummary', { StreamName: streamName });
    return true;
  } catch (error) {
    if (error instanceof KinesisRefusal && error.errorName === 'ResourceNotFoundException') return false;
    throw error;
  }
}

/** Reads a stream through the Kinesis API. */
export function kinesisShardReader(client: KinesisJsonClient, streamName: string): ShardReader {
  const shards = async (): Promise<readonly ShardLineage[]> => {
    const found: ShardLineage[] = [];
    let token: string | undefined;
    for (let page = 0; page < LIST_PAGES_MAX; page += 1) {
      const input = token === undefined ? { StreamName: streamName } : { NextToken: token };
      const answer = SHARDS_ANSWER.parse(await client.call('ListShards', input));
      for (const { ShardId: shardId, ParentShardId, AdjacentParentShardId } of answer.Shards) {
        const parents = [ParentShardId, AdjacentParentShardId].filter((parent) => parent !== undefined);
        found.push({ shardId, parents });
      }
      token = answer.NextToken ?? undefined;
      if (token === undefined) break;
    }
    return found;
  };

  const iterator: ShardReader['iterator'] = async (shardId, start) => {
    try {
      const input = { StreamName: streamName, ShardId: shardId, ...startFields(start) };
      return ITERATOR_ANSWER.parse(await client.call('GetShardIterator', input)).ShardIterator;
    } catch (error) {
      if (!(error instanceof KinesisRefusal) || error.errorName !== 'ResourceNotFoundException') throw error;
      // Kinesis says the same of a shard and of a stream that is gone; only the shard's end is an answer.
      const listed = await shards();
      if (listed.some((shard) => shard.shardId === shardId)) throw error;
      return undefined;
    }
  };

  const read: ShardReader['read'] = async (shardIterator) => {
    try {
      const input = { ShardIterator: shardIterator, Limit: GET_RECORDS_RECORDS_MAX };
      return readOutcome(await client.call('GetRecords', input));
    } catch (error) {
      if (!(error instanceof KinesisRefusal)) throw error;
      if (error.errorName === 'ProvisionedThroughputExceededException') return { kind: 'throttled' };
      if (error.errorName === 'ExpiredIteratorException') return { kind: 'iterator-expired' };
      throw error;
    }
  };
  return { shards, iterator, read };
}

function startFields(start: ShardStart) {
  switch (start.type) {
    case 'TRIM_HORIZON':
      return { ShardIteratorType: start.type };
    case 'AFTER_SEQUENCE_NUMBER':
      return { ShardIteratorType: start.type, StartingSequenceNumber: start.sequenceNumber };
    case 'AT_TIMESTAMP':
      return { ShardIteratorType: start.type, Timestamp: start.timestampMs / 1_000 };
  }
}

function readOutcome(answer: unknown): ReadOutcome {
  if (!isRecordsAnswer(answer)) throw new TypeError('GetRecords answered something else than records');
  return {
    kind: 'records',
    records: answer.Records.map((record) => {
      const { SequenceNumber: sequenceNumber } = record;
      if (!isSequenceNumber(sequenceNumber)) {
        throw new TypeError('GetRecords answered a record without sequence number');
      }
      return {
        sequenceNumber,
        partitionKey: record.PartitionKey,
        data: record.Data,
        approximateArrivalTimestamp: record.ApproximateArrivalTimestamp,
      };
    }),
    nextIterator: answer.NextShardIterator ?? undefined,
    millisBehindLatest: answer.MillisBehindLatest,
  };
}

function isRecordsAnswer(answer: unknown): answer is RecordsAnswer {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    'Records' in answer &&
    Array.isArray(answer.Records) &&
    'MillisBehindLatest' in answer &&
    typeof answer.MillisBehindLatest === 'number'
  );
}
