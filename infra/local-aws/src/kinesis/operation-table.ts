import { getRecords, getShardIterator } from './get-operations.ts';
import type { Operation } from './operation.ts';
import { putRecord, putRecords } from './put-operations.ts';
import { listShards, mergeShards, splitShard, updateShardCount } from './shard-operations.ts';
import {
  createStream,
  decreaseStreamRetentionPeriod,
  deleteStream,
  describeStream,
  describeStreamSummary,
  increaseStreamRetentionPeriod,
  listStreams,
} from './stream-operations.ts';

/** The service's name in targets and paths. */
export const SERVICE = 'Kinesis_20131202';

/** Every operation this server has, by the API's name. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    CreateStream: createStream,
    DecreaseStreamRetentionPeriod: decreaseStreamRetentionPeriod,
    DeleteStream: deleteStream,
    DescribeStream: describeStream,
    DescribeStreamSummary: describeStreamSummary,
    GetRecords: getRecords,
    GetShardIterator: getShardIterator,
    IncreaseStreamRetentionPeriod: increaseStreamRetentionPeriod,
    ListShards: listShards,
    ListStreams: listStreams,
    MergeShards: mergeShards,
    PutRecord: putRecord,
    PutRecords: putRecords,
    SplitShard: splitShard,
    UpdateShardCount: updateShardCount,
  }),
);

/** Operations whose throttle is of throughput; any other's is of the account's limits. */
export const DATA_OPERATIONS: ReadonlySet<string> = new Set(['GetRecords', 'PutRecord', 'PutRecords']);
