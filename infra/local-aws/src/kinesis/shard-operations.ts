import { HASH_KEY_MAX } from '@twinstream/stream-model';
import {
  ApiError,
  invalidArgument,
  limitExceeded,
  resourceInUse,
  streamNotFound,
  validationFailed,
} from './api-error.ts';
import { hashKeyOf, hashKeyText } from './hash-key-text.ts';
import { EMPTY, type KinesisService, membersAnswer, operation } from './operation.ts';
import { pageToken, readPageToken } from './page-token.ts';
import { integer, oneOf, optional, required, structure, text, timestampMs } from './request-shape.ts';
import { uniformScaling } from './resharding.ts';
import {
  isSelected,
  readSelection,
  SHARD_FILTER_TYPES,
  type ShardFilter,
  type ShardSelection,
  selectShards,
} from './shard-filter.ts';
import { fullShardId, SHARD_ID, shardMembers } from './shard-members.ts';
import type { Shard, Stream } from './stream.ts';
import { activeStream, addressedStream, STREAM_ADDRESS, streamArn } from './stream-address.ts';
import { SHARDS_MAX } from './stream-operations.ts';

const SHARDS_LIST = 'shards';
/** API reference, ListShards, MaxResults (read 2026-11). */
const SHARDS_PAGE = { default: 1000, max: 10_000 };

export const listShards = operation(
  structure({
    ...STREAM_ADDRESS,
    NextToken: optional(text({ min: 1, max: 1_048_576 })),
    ExclusiveStartShardId: optional(SHARD_ID),
    MaxResults: optional(integer({ min: 1, max: SHARDS_PAGE.max })),
    StreamCreationTimestamp: optional(timestampMs),
    ShardFilter: optional(
      structure({
        Type: required(oneOf(SHARD_FILTER_TYPES), 'AT_LATEST'),
        ShardId: optional(SHARD_ID),
        Timestamp: optional(timestampMs),
      }),
    ),
  }),
  (service, input) => {
    const nowMs = service.clock.now();
    const selection =
      input.NextToken === undefined
        ? firstSelection(service, input, nowMs)
        : nextSelection({ ...input, NextToken: input.NextToken }, nowMs);
    const stream = listedStream(service, selection);
    service.store.trim(stream);
    const rest = stream.shards.filter((shard) => isSelected(selection, shard));
    const page = rest.slice(0, input.MaxResults ?? SHARDS_PAGE.default);
    const last = page.length < rest.length ? page.at(-1) : undefined;
    return membersAnswer({
      Shards: page.map(shardMembers),
      NextToken: last && pageToken(SHARDS_LIST, { ...selection, afterId: last.id }, nowMs),
    });
  },
);

interface ListShardsRequest {
  readonly StreamName: string | undefined;
  readonly StreamARN: string | undefined;
  readonly ExclusiveStartShardId: string | undefined;
  readonly StreamCreationTimestamp: number | undefined;
  readonly ShardFilter: ShardFilter | undefined;
}

function firstSelection(service: KinesisService, request: ListShardsRequest, nowMs: number): ShardSelection {
  const stream = addressedStream(service, request);
  const { StreamCreationTimestamp: createdMs } = request;
  // Clients may have rounded it to seconds.
  if (createdMs !== undefined && Math.abs(createdMs - stream.createdMs) >= 1000) {
    throw streamNotFound(stream.name, service.accountId);
  }
  return selectShards(stream, request.ShardFilter, fullShardId(request.ExclusiveStartShardId ?? ''), nowMs);
}

function nextSelection(
  request: ListShardsRequest & { readonly NextToken: string },
  nowMs: number,
): ShardSelection {
  const { NextToken, StreamName, StreamARN, ExclusiveStartShardId, StreamCreationTimestamp } = request;
  const others = { StreamName, StreamARN, ExclusiveStartShardId, StreamCreationTimestamp };
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined) throw invalidArgument(`NextToken and ${name} cannot be provided together.`);
  }
  return readSelection(readPageToken(SHARDS_LIST, NextToken, nowMs));
}

function listedStream(service: KinesisService, { streamName, streamCreatedMs }: ShardSelection): Stream {
  const stream = service.store.find(streamName);
  if (!stream || stream.createdMs !== streamCreatedMs) throw streamNotFound(streamName, service.accountId);
  if (stream.status === 'CREATING' || stream.status === 'DELETING') {
    throw resourceInUse(
      `Stream ${streamName} under account ${service.accountId} not ACTIVE, instead in state ${stream.status}`,
    );
  }
  return stream;
}

const HASH_KEY = text({ pattern: '0|([1-9]\\d{0,38})' });

export const splitShard = operation(
  structure({
    ...STREAM_ADDRESS,
    ShardToSplit: required(SHARD_ID, ''),
    NewStartingHashKey: required(HASH_KEY, '0'),
  }),
  (service, input) => {
    const stream = provisionedStream(service, input);
    const shard = openShard(service, stream, input.ShardToSplit);
    const at = BigInt(input.NewStartingHashKey);
    const [start, end] = [hashKeyOf(shard.hashStart), hashKeyOf(shard.hashEnd)];
    if (at > HASH_KEY_MAX || at <= start + 1n || at >= end) {
      throw invalidArgument(
        `NewStartingHashKey ${at} used in SplitShard() on shard ${shard.id} in stream ${stream.name} under account ` +
          `${service.accountId} is not both greater than one plus the shard's StartingHashKey ${start} and less ` +
          `than the shard's EndingHashKey ${end}.`,
      );
    }
    if (stream.open.length >= SHARDS_MAX) throw shardLimitExceeded(stream.open.length + 1);
    service.store.reshard(stream, [{ kind: 'split', start: shard.hashStart, at: hashKeyText(at) }]);
    return EMPTY;
  },
);

export const mergeShards = operation(
  structure({
    ...STREAM_ADDRESS,
    ShardToMerge: required(SHARD_ID, ''),
    AdjacentShardToMerge: required(SHARD_ID, ''),
  }),
  (service, input) => {
    const stream = provisionedStream(service, input);
    const shard = openShard(service, stream, input.ShardToMerge);
    const adjacent = openShard(service, stream, input.AdjacentShardToMerge);
    if (hashKeyOf(shard.hashEnd) + 1n !== hashKeyOf(adjacent.hashStart)) {
      throw invalidArgument(
        `Shards ${shard.id} and ${adjacent.id} in stream ${stream.name} under account ${service.accountId} are not ` +
          'an adjacent pair of shards eligible for merging',
      );
    }
    service.store.reshard(stream, [
      { kind: 'merge', start: shard.hashStart, adjacentStart: adjacent.hashStart },
    ]);
    return EMPTY;
  },
);

export const updateShardCount = operation(
  structure({
    ...STREAM_ADDRESS,
    TargetShardCount: required(integer({ min: 1 }), 1),
    ScalingType: required(oneOf(['UNIFORM_SCALING']), 'UNIFORM_SCALING'),
  }),
  (service, input) => {
    const stream = provisionedStream(service, input);
    const [current, target] = [stream.open.length, input.TargetShardCount];
    const counts = `Current open shard count: ${current}, Target shard count: ${target}`;
    if (target > SHARDS_MAX) throw shardLimitExceeded(target);
    if (target > current * 2) {
      throw limitExceeded(
        `UpdateShardCount cannot scale up over double your current open shard count. ${counts}`,
      );
    }
    if (target < current / 2) {
      throw limitExceeded(
        `UpdateShardCount cannot scale down below half your current open shard count. ${counts}`,
      );
    }
    const ranges = stream.open.map(({ hashStart, hashEnd }) => ({
      start: hashKeyOf(hashStart),
      end: hashKeyOf(hashEnd),
    }));
    service.store.reshard(stream, uniformScaling(ranges, target));
    return membersAnswer({
      StreamName: stream.name,
      StreamARN: streamArn(service, stream.name),
      CurrentShardCount: current,
      TargetShardCount: target,
    });
  },
);

function shardLimitExceeded(wanted: number): ApiError {
  return limitExceeded(
    `A stream may have ${SHARDS_MAX} shards here, and the request would give it ${wanted}.`,
  );
}

type Address = Parameters<typeof activeStream>[1];

/** A stream whose shards its owner may change. */
function provisionedStream(service: KinesisService, address: Address): Stream {
  const stream = activeStream(service, address);
  if (stream.mode === 'ON_DEMAND') {
    throw validationFailed(`Stream ${stream.name} is in ON_DEMAND mode: its shards cannot be changed.`);
  }
  return stream;
}

function openShard(service: KinesisService, stream: Stream, id: string): Shard {
  const shard = stream.shards.find((candidate) => candidate.id === fullShardId(id));
  if (!shard) {
    throw new ApiError(
      'ResourceNotFoundException',
      `Could not find shard ${id} in stream ${stream.name} under account ${service.accountId}.`,
    );
  }
  if (shard.closedMs !== undefined) {
    throw invalidArgument(
      `Shard ${id} in stream ${stream.name} under account ${service.accountId} is closed and cannot be changed.`,
    );
  }
  return shard;
}
