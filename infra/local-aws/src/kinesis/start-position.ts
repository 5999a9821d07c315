import { invalidArgument } from './api-error.ts';
import type { KinesisService } from './operation.ts';
import { parseSequenceNumber } from './sequence-numbering.ts';
import { type Shard, type Stream, shardIdOf } from './stream.ts';

export const ITERATOR_TYPES = [
  'AT_SEQUENCE_NUMBER',
  'AFTER_SEQUENCE_NUMBER',
  'TRIM_HORIZON',
  'LATEST',
  'AT_TIMESTAMP',
] as const;

/** Where reading is to begin, and of which operation this is asked. */
export interface Start {
  readonly operation: 'GetShardIterator' | 'SubscribeToShard';
  readonly type: (typeof ITERATOR_TYPES)[number];
  readonly sequenceNumber: string | undefined;
  readonly timestampMs: number | undefined;
}

/** The counter at which reading begins. What has expired is skipped when it is read. Throws InvalidArgumentException. */
export function startPosition(service: KinesisService, stream: Stream, shard: Shard, start: Start): number {
  const { type, sequenceNumber } = start;
  switch (type) {
    case 'TRIM_HORIZON':
    case 'LATEST':
      if (sequenceNumber !== undefined) throw wrongStart(type, 'also a StartingSequenceNumber');
      return type === 'LATEST' ? shard.log.end : 0;
    case 'AT_TIMESTAMP':
      if (start.timestampMs === undefined)
        throw invalidArgument(
          'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.',
        );
      return positionAtTime(service, shard, start.timestampMs);
    default:
      if (sequenceNumber === undefined) throw wrongStart(type, 'no StartingSequenceNumber');
      return (
        positionOf(service, stream, shard, { number: sequenceNumber, operation: start.operation }) +
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
function positionOf(
  service: KinesisService,
  stream: Stream,
  shard: Shard,
  { number, operation }: { readonly number: string; readonly operation: string },
): number {
  const parts = parseSequenceNumber(number);
  const used = `StartingSequenceNumber ${number} used in ${operation} on shard ${shard.id} in stream ${stream.name} under account ${service.accountId}`;
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
