import {
  deregisterStreamConsumer,
  describeStreamConsumer,
  listStreamConsumers,
  registerStreamConsumer,
} from './consumer-operations.ts';
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
import { subscribeToShard } from './subscribe-operation.ts';

/** The service's name in targets and paths. */
export const SERVICE = 'Kinesis_20131202';

/** Every operation this server has, by the API's name. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    CreateStream: createStream,
    DecreaseStreamRetentionPeriod: decreaseStreamRetentionPeriod,
    DeleteStream: deleteStream,
    DeregisterStreamConsumer: deregisterStreamConsumer,
    DescribeStream: describeStream,
    DescribeStreamConsumer: describeStreamConsumer,
    DescribeStreamSummary: describeStreamSummary,
    GetRecords: getRecords,
    GetShardIterator: getShardIterator,
    IncreaseStreamRetentionPeriod: increaseStreamRetentionPeriod,
    ListShards: listShards,
    ListStreamConsumers: listStreamConsumers,
    ListStreams: listStreams,
    MergeShards: mergeShards,
    PutRecord: putRecord,
    PutRecords: putRecords,
    RegisterStreamConsumer: registerStreamConsumer,
    SplitShard: splitShard,
    SubscribeToShard: subscribeToShard,
    UpdateShardCount: updateShardCount,
  }),
);

/** Operations whose throttle is of throughput; any other's is of the account's limits. */
export const DATA_OPERATIONS: ReadonlySet<string> = new Set(['GetRecords', 'PutRecord', 'PutRecords']);
