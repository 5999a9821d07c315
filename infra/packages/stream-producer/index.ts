/** An ordered producer for Kinesis streams. */
export { type Clock, CodedError, type CodedErrorOptions } from '@twinstream/runtime';
export type {
  BackoffOptions,
  HashKeyRange,
  Position,
  SequenceNumber,
  Shard,
  ShardId,
} from '@twinstream/stream-model';
export * from '@twinstream/stream-producer';
