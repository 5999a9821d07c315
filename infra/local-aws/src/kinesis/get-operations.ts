import { GET_RECORDS_BYTES_MAX, GET_RECORDS_RECORDS_MAX } from '@twinstream/stream-model';
import { invalidArgument, shardNotFound, shardRateExceeded, streamNotFound } from './api-error.ts';
import { type Answer, type KinesisService, membersAnswer, operation } from './operation.ts';
import { integer, oneOf, optional, required, structure, text, timestampMs } from './request-shape.ts';
import { shrinkToFit } from './segment-memory.ts';
import { iteratorText, readIterator } from './shard-iterator.ts';
import { admitRead, chargeRead } from './shard-limiter.ts';
import { childShardMembers, fullShardId, SHARD_ID } from './shard-members.ts';
import { ITERATOR_TYPES, startPosition } from './start-position.ts';
import { childrenOf, horizonMs, type Shard, type Stream, shardIdOf } from './stream.ts';
import { addressedStream, isUsable, STREAM_ADDRESS, usableStream } from './stream-address.ts';

export const getShardIterator = operation(
  structure({
    ...STREAM_ADDRESS,
    ShardId: required(SHARD_ID, ''),
    ShardIteratorType: required(oneOf(ITERATOR_TYPES), 'LATEST'),
    StartingSequenceNumber: optional(text({ pattern: '0|([1-9]\\d{0,128})' })),
    Timestamp: optional(timestampMs),
  }),
  (service, input) => {
    const stream = usableStream(service, input);
    const shard = stream.shards.find(({ id }) => id === fullShardId(input.ShardId));
    if (!shard) throw shardNotFound(input.ShardId, stream.name, service.accountId);
    const position = startPosition(service, stream, shard, {
      operation: 'GetShardIterator',
      type: input.ShardIteratorType,
      sequenceNumber: input.StartingSequenceNumber,
      timestampMs: input.Timestamp,
    });
    return membersAnswer({ ShardIterator: newIterator(service, stream, shard, position) });
  },
);

function newIterator(service: KinesisService, stream: Stream, shard: Shard, position: number): string {
  return iteratorText({
    streamName: stream.name,
    streamCreatedMs: stream.createdMs,
    shardIndex: shard.index,
    position,
    issuedMs: service.clock.now(),
  });
}

export const getRecords = operation(
  structure({
    ShardIterator: required(text({ min: 1, max: 512 }), ''),
    Limit: optional(integer({ min: 1, max: GET_RECORDS_RECORDS_MAX })),
    StreamARN: STREAM_ADDRESS.StreamARN,
  }),
  (service, { ShardIterator, Limit, StreamARN }) => {
    const { stream, shard, position } = iteratorPlace(service, ShardIterator, StreamARN);
    const nowMs = service.clock.now();
    if (service.limitsEnforced && !admitRead(shard.limiter, nowMs)) {
      service.counters.readsThrottled += 1;
      throw shardRateExceeded(shard.id, stream.name, service.accountId);
    }
    return readShard(service, stream, shard, {
      position,
      recordsMax: Limit ?? GET_RECORDS_RECORDS_MAX,
      nowMs,
    });
  },
);

function iteratorPlace(service: KinesisService, text: string, arn: string | undefined) {
  const iterator = readIterator(text, service.clock.now());
  const { streamName, streamCreatedMs, shardIndex, position } = iterator;
  const stream = service.store.find(streamName);
  if (!stream || stream.createdMs !== streamCreatedMs || !isUsable(stream)) {
    throw streamNotFound(streamName, service.accountId);
  }
  if (arn !== undefined && addressedStream(service, { StreamName: undefined, StreamARN: arn }) !== stream) {
    throw invalidArgument(`The shard iterator is not of the stream ${arn}.`);
  }
  const shard = stream.shards.find(({ index }) => index === shardIndex);
  if (!shard) throw shardNotFound(shardIdOf(shardIndex), streamName, service.accountId);
  return { stream, shard, position };
}

function readShard(
  service: KinesisService,
  stream: Stream,
  shard: Shard,
  from: { readonly position: number; readonly recordsMax: number; readonly nowMs: number },
): Answer {
  const { counters, store } = service;
  const slice = shard.log.read(from.position, {
    recordsMax: from.recordsMax,
    bytesMax: GET_RECORDS_BYTES_MAX,
    horizonMs: horizonMs(stream, from.nowMs),
  });
  chargeRead(shard.limiter, slice.bytes);
  counters.recordsRead += slice.records;
  counters.bytesRead += slice.bytes;
  // The slice keeps what it reads, whatever the cache lets go of.
  shrinkToFit(store.memory);
  const isDrained = slice.atEnd && shard.closedMs !== undefined;
  return {
    kind: 'records',
    records: {
      runs: slice.runs,
      numbering: shard.numbering,
      rest: {
        NextShardIterator: isDrained ? undefined : newIterator(service, stream, shard, slice.next),
        MillisBehindLatest: slice.atEnd ? 0 : Math.max(0, from.nowMs - (slice.lastArrivalMs ?? from.nowMs)),
        ChildShards: isDrained ? childrenOf(stream, shard).map(childShardMembers) : undefined,
      },
    },
  };
}
