import { describeAccountSettings, describeLimits, updateAccountSettings } from './account-operations.ts';
import {
  deregisterStreamConsumer,
  describeStreamConsumer,
  listStreamConsumers,
  registerStreamConsumer,
} from './consumer-operations.ts';
import { getRecords, getShardIterator } from './get-operations.ts';
import type { Operation } from './operation.ts';
import { deleteResourcePolicy, getResourcePolicy, putResourcePolicy } from './policy-operations.ts';
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
import {
  disableEnhancedMonitoring,
  enableEnhancedMonitoring,
  startStreamEncryption,
  stopStreamEncryption,
  updateMaxRecordSize,
  updateStreamMode,
  updateStreamWarmThroughput,
} from './stream-settings-operations.ts';
import { subscribeToShard } from './subscribe-operation.ts';
import {
  addTagsToStream,
  listTagsForResource,
  listTagsForStream,
  removeTagsFromStream,
  tagResource,
  untagResource,
} from './tag-operations.ts';

/** The service's name in targets and paths. */
export const SERVICE = 'Kinesis_20131202';

/** Every operation this server has, by the API's name. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    AddTagsToStream: addTagsToStream,
    CreateStream: createStream,
    DecreaseStreamRetentionPeriod: decreaseStreamRetentionPeriod,
    DeleteResourcePolicy: deleteResourcePolicy,
    DeleteStream: deleteStream,
    DeregisterStreamConsumer: deregisterStreamConsumer,
    DescribeAccountSettings: describeAccountSettings,
    DescribeLimits: describeLimits,
    DescribeStream: describeStream,
    DescribeStreamConsumer: describeStreamConsumer,
    DescribeStreamSummary: describeStreamSummary,
    DisableEnhancedMonitoring: disableEnhancedMonitoring,
    EnableEnhancedMonitoring: enableEnhancedMonitoring,
    GetRecords: getRecords,
    GetResourcePolicy: getResourcePolicy,
    GetShardIterator: getShardIterator,
    IncreaseStreamRetentionPeriod: increaseStreamRetentionPeriod,
    ListShards: listShards,
    ListStreamConsumers: listStreamConsumers,
    ListStreams: listStreams,
    ListTagsForResource: listTagsForResource,
    ListTagsForStream: listTagsForStream,
    MergeShards: mergeShards,
    PutRecord: putRecord,
    PutRecords: putRecords,
    PutResourcePolicy: putResourcePolicy,
    RegisterStreamConsumer: registerStreamConsumer,
    RemoveTagsFromStream: removeTagsFromStream,
    SplitShard: splitShard,
    StartStreamEncryption: startStreamEncryption,
    StopStreamEncryption: stopStreamEncryption,
    SubscribeToShard: subscribeToShard,
    TagResource: tagResource,
    UntagResource: untagResource,
    UpdateAccountSettings: updateAccountSettings,
    UpdateMaxRecordSize: updateMaxRecordSize,
    UpdateShardCount: updateShardCount,
    UpdateStreamMode: updateStreamMode,
    UpdateStreamWarmThroughput: updateStreamWarmThroughput,
  }),
);

/** Operations whose throttle is of throughput; any other's is of the account's limits. */
export const DATA_OPERATIONS: ReadonlySet<string> = new Set(['GetRecords', 'PutRecord', 'PutRecords']);
