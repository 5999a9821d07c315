import { GET_RECORDS_BYTES_MAX, GET_RECORDS_RECORDS_MAX } from '@twinstream/stream-model';
import { invalidArgument, shardNotFound, shardRateExceeded, streamNotFound } from './api-error.ts';
import { type Answer, type KinesisService, membersAnswer, operation } from './operation.ts';
import { integer, oneOf, optional, required, structure, text, timestampMs } from './request-shape.ts';
import { shrinkToFit } from './segment-memory.ts';
import { parseSequenceNumber } from './sequence-numbering.ts';
import { iteratorText, readIterator } from './shard-iterator.ts';
import { admitRead, chargeRead } from './shard-limiter.ts';
import { fullShardId, hashKeyRangeMembers, SHARD_ID } from './shard-members.ts';
import { childrenOf, horizonMs, type Shard, type Stream, shardIdOf } from './stream.ts';
import { addressedStream, isUsable, STREAM_ADDRESS, usableStream } from './stream-address.ts';

const ITERATOR_TYPES = [
  'AT_SEQUENCE_NUMBER',
  'AFTER_SEQUENCE_NUMBER',
  'TRIM_HORIZON',
  'LATEST',
  'AT_TIMESTAMP',
] as const;

interface IteratorRequest {
  readonly ShardIteratorType: (typeof ITERATOR_TYPES)[number];
  readonly StartingSequenceNumber: string | undefined;
  readonly Timestamp: number | undefined;
}

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
    const position = startPosition(service, stream, shard, input);
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

/** The counter at which reading begins. What has expired is skipped when it is read. */
function startPosition(
  service: KinesisService,
  stream: Stream,
  shard: Shard,
  request: IteratorRequest,
): number {
  const type = request.ShardIteratorType;
  switch (type) {
    case 'TRIM_HORIZON':
    case 'LATEST':
      if (request.StartingSequenceNumber !== undefined)
        throw wrongStart(type, 'also a StartingSequenceNumber');
      return type === 'LATEST' ? shard.log.end : 0;
    case 'AT_TIMESTAMP':
      if (request.Timestamp === undefined)
        throw invalidArgument(
          'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.',
        );
      return positionAtTime(service, shard, request.Timestamp);
    default:
      if (request.StartingSequenceNumber === undefined) throw wrongStart(type, 'no StartingSequenceNumber');
      return (
        positionOf(service, stream, shard, request.StartingSequenceNumber) +
        (type === 'AFTER_SEQUENCE_NUMBER' ? 1 : 0)
      );
  }
}

function wrongStart(type: string, also: string) {
  return invalidArgument(
    'Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or ' +
      `(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ${type} and ${also}.`,
  );
}

function positionAtTime({ clock }: KinesisService, shard: Shard, timeMs: number): number {
  const nowMs = clock.now();
  if (timeMs > nowMs) {
    throw invalidArgument(
      'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ' +
        `timestampInMillis: ${timeMs}, currentTimestampInMillis: ${nowMs}`,
    );
  }
  return shard.log.counterAtArrival(timeMs);
}

/** The counter of a sequence number, which must be this shard's. */
function positionOf(service: KinesisService, stream: Stream, shard: Shard, number: string): number {
  const parts = parseSequenceNumber(number);
  const used = `StartingSequenceNumber ${number} used in GetShardIterator on shard ${shard.id} in stream ${stream.name} under account ${service.accountId}`;
  if (parts === undefined) throw invalidArgument(`${used} is invalid.`);
  if (parts.shardIndex !== shard.index) {
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes ${shardIdOf(parts.shardIndex)}, while it was used in a call to a shard with ${shard.id}`,
    );
  }
  if (parts.shardStartMs !== shard.startMs) {
    throw invalidArgument(`${used} is invalid because it did not come from this stream.`);
  }
  return Math.min(parts.counter, shard.log.end);
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
        ChildShards: isDrained ? childrenOf(stream, shard).map(childMembers) : undefined,
      },
    },
  };
}

/** ChildShard of the API: what a reader needs to go on where its shard ended. */
function childMembers(child: Shard) {
  const parents = [child.parentIndex, child.adjacentParentIndex].filter((index) => index !== undefined);
  return {
    ShardId: child.id,
    ParentShards: parents.map(shardIdOf),
    HashKeyRange: hashKeyRangeMembers(child),
  };
}
