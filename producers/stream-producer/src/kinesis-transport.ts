import {
  type KinesisClient,
  KinesisServiceException,
  ListShardsCommand,
  PutRecordsCommand,
  type PutRecordsResultEntry,
  type Shard as SdkShard,
} from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { CodedError } from '@twinstream/runtime';
import { parseHashKey, type Shard, sequenceNumber, shardId } from '@twinstream/stream-model';
import type { StreamTransport, TransportAnswer } from './transport.ts';

/** Which stream, and how to reach it. */
export interface KinesisTransportOptions {
  readonly streamName: string;
  /**
   * Default: a client of its own, set up from the SDK's standard variables and closed with the producer. A given client
   * stays open; it should have `maxAttempts: 1`, because the producer retries by itself and counts what it retries.
   */
  readonly client?: KinesisClient;
}

/** Errors of PutRecords and ListShards by what they mean here (Kinesis API reference, "Errors" and "Common Errors", read 2026-11). */
const ERRORS_BY_CODE = {
  STREAM_THROTTLED: [
    'ProvisionedThroughputExceededException',
    'LimitExceededException',
    'ThrottlingException',
    'KMSThrottlingException',
  ],
  REQUEST_INVALID: ['ValidationException', 'InvalidArgumentException', 'SerializationException'],
  STREAM_REJECTED: [
    'ResourceNotFoundException',
    'AccessDeniedException',
    'NotAuthorized',
    'UnrecognizedClientException',
    'InvalidClientTokenId',
    'InvalidSignatureException',
    'IncompleteSignature',
    'MissingAuthenticationToken',
    'OptInRequired',
    'CredentialsProviderError',
    'KMSDisabledException',
    'KMSInvalidStateException',
    'KMSAccessDeniedException',
    'KMSNotFoundException',
    'KMSOptInRequired',
  ],
  SHARD_LIST_EXPIRED: ['ExpiredNextTokenException'],
} as const;

const CODE_BY_ERROR: ReadonlyMap<string, string> = new Map(
  Object.entries(ERRORS_BY_CODE).flatMap(([code, names]) => names.map((name) => [name, code] as const)),
);
/** HTTP 413: more bytes than the service reads. */
const CONTENT_TOO_LARGE = 413;
const FINAL_CODES: ReadonlySet<string> = new Set(['STREAM_REJECTED', 'REQUEST_INVALID']);

/** The Kinesis stream `streamName` over the AWS SDK. */
export function kinesisTransport({ streamName, client }: KinesisTransportOptions): StreamTransport {
  const kinesis = client ?? kinesisClient({ maxAttempts: 1 });

  return {
    streamName,
    async putRecords(records, signal) {
      const Records = records.map(({ partitionKey, explicitHashKey, data }) => ({
        PartitionKey: partitionKey,
        ExplicitHashKey: explicitHashKey,
        Data: data,
      }));
      const command = new PutRecordsCommand({ StreamName: streamName, Records });
      const output = await kinesis.send(command, { abortSignal: signal }).catch(rethrowCoded);
      return (output.Records ?? []).map(answerOf);
    },
    async listShards(nextToken, signal) {
      // ListShards refuses a stream name beside a token.
      const input = nextToken === undefined ? { StreamName: streamName } : { NextToken: nextToken };
      const output = await kinesis
        .send(new ListShardsCommand(input), { abortSignal: signal })
        .catch(rethrowCoded);
      const shards = (output.Shards ?? []).map(shardOf);
      return output.NextToken === undefined ? { shards } : { shards, nextToken: output.NextToken };
    },
    close() {
      if (client === undefined) kinesis.destroy();
    },
  };
}

function answerOf(entry: PutRecordsResultEntry): TransportAnswer {
  if (entry.SequenceNumber !== undefined && entry.ShardId !== undefined) {
    return {
      status: 'stored',
      shardId: shardId(entry.ShardId),
      sequenceNumber: sequenceNumber(entry.SequenceNumber),
    };
  }
  return {
    status: 'rejected',
    errorCode: entry.ErrorCode ?? 'InternalFailure',
    message: entry.ErrorMessage ?? 'no message',
  };
}

function shardOf(shard: SdkShard): Shard {
  const { ShardId, HashKeyRange, SequenceNumberRange, ParentShardId, AdjacentParentShardId } = shard;
  const start = parseHashKey(HashKeyRange?.StartingHashKey ?? '');
  const end = parseHashKey(HashKeyRange?.EndingHashKey ?? '');
  if (ShardId === undefined || start === undefined || end === undefined) {
    throw new CodedError(
      'STREAM_UNAVAILABLE',
      `ListShards named a shard without a hash-key range: ${ShardId}`,
    );
  }
  return {
    shardId: shardId(ShardId),
    hashKeyRange: { start, end },
    isOpen: SequenceNumberRange?.EndingSequenceNumber === undefined,
    ...(ParentShardId === undefined ? {} : { parentShardId: shardId(ParentShardId) }),
    ...(AdjacentParentShardId === undefined ? {} : { adjacentParentShardId: shardId(AdjacentParentShardId) }),
  };
}

function rethrowCoded(cause: unknown): never {
  const name = cause instanceof Error ? cause.name : 'unknown error';
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = CODE_BY_ERROR.get(name) ?? (isTooLarge(cause) ? 'REQUEST_INVALID' : 'STREAM_UNAVAILABLE');
  throw new CodedError(code, `${name}: ${message}`, { retryable: !FINAL_CODES.has(code), cause });
}

const isTooLarge = (cause: unknown): boolean =>
  cause instanceof KinesisServiceException && cause.$metadata.httpStatusCode === CONTENT_TOO_LARGE;
