/** A Kinesis Data Streams server for tests and development, in this process. */
export {
  type FaultKind,
  type FaultRule,
  type FaultRuleReport,
  type FaultService,
  type KinesisCounters,
  type LocalKinesis,
  type LocalKinesisOptions,
  type ShardRecords,
  type StoredRecord,
  startLocalKinesis,
} from '@twinstream/local-aws/kinesis';
