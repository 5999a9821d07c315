import { contains, decodeRecord, hashKey } from '@twinstream/stream-model';
import type { StreamContent } from '../src/testing/stream-audit.ts';

/**
 * The stream as the Kinesis Client Library reads it: without the aggregates that carry a record whose hash key the shard
 * does not own (`AggregatorUtil.deaggregate`, KCL 3.5.1, read 2026-12).
 */
export function asKclReads({ shards, records }: StreamContent): StreamContent {
  const ranges = new Map(shards.map(({ shardId, hashKeyRange }) => [shardId, hashKeyRange]));
  return {
    shards,
    records: [...records].filter(({ shardId, data }) => {
      const decoded = decodeRecord(data);
      const range = ranges.get(shardId);
      if (decoded.status !== 'aggregated' || range === undefined) return true;
      return decoded.records.every(({ partitionKey, explicitHashKey }) =>
        contains(range, explicitHashKey === undefined ? hashKey(partitionKey) : BigInt(explicitHashKey)),
      );
    }),
  };
}
