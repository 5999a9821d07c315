import type { SequenceNumber, Shard, ShardId } from '@twinstream/stream-model';

/** One Kinesis record of a request. */
export interface TransportRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly data: Uint8Array;
}

/** The stream's answer to one record of a request. */
export type TransportAnswer =
  | { readonly status: 'stored'; readonly shardId: ShardId; readonly sequenceNumber: SequenceNumber }
  /** `errorCode` as Kinesis names it: `ProvisionedThroughputExceededException`, `InternalFailure`. */
  | { readonly status: 'rejected'; readonly errorCode: string; readonly message: string };

/** One page of the stream's shards, open and closed. */
export interface ShardPage {
  readonly shards: readonly Shard[];
  readonly nextToken?: string;
}

/**
 * The calls a producer needs, small enough to stub. Both reject with a `CodedError` of one of these codes; any other
 * error counts as `STREAM_UNAVAILABLE`:
 *
 * | code | meaning | the records of the request |
 * |---|---|---|
 * | `STREAM_THROTTLED` | the request was refused whole for its rate | not stored; sent again |
 * | `STREAM_UNAVAILABLE` | no answer: time-out, broken connection, server failure | outcome unknown (may have been stored); sent again |
 * | `REQUEST_INVALID` | the service refuses the request as malformed | not stored; each is sent alone once to find the culprit |
 * | `STREAM_REJECTED` | no such stream, no permission, no usable key | not stored; handed back |
 * | `SHARD_LIST_EXPIRED` | `nextToken` is too old (`listShards` only) | – |
 */
export interface StreamTransport {
  /** Names the stream in messages of diagnostics channels. */
  readonly streamName?: string;
  /** One PutRecords request. Resolves to one answer per record, in their order. `signal` is aborted when the producer stops waiting. */
  putRecords(records: readonly TransportRecord[], signal: AbortSignal): Promise<readonly TransportAnswer[]>;
  /** One page of ListShards, the first when `nextToken` is undefined. */
  listShards(nextToken: string | undefined, signal: AbortSignal): Promise<ShardPage>;
  /** Releases connections. Called once, by the producer's `close`. */
  close?(): void;
}
