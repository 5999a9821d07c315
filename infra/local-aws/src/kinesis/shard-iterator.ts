import { crc32 } from 'node:zlib';
import { ApiError, invalidArgument } from './api-error.ts';

/** API reference, GetShardIterator: a shard iterator expires 5 minutes after it is returned (read 2026-11). */
export const ITERATOR_AGE_MS_MAX = 300_000;

/** Where a reader stands. */
export interface ShardIterator {
  readonly streamName: string;
  /** With the name, the stream's identity. */
  readonly streamCreatedMs: number;
  readonly shardIndex: number;
  /** The lowest counter not yet read. */
  readonly position: number;
  readonly issuedMs: number;
}

/** Iterators hold all they mean, so they survive a restart of the server. AWS's begin with the same eight bytes. */
const LEAD = Buffer.from('0000000000000001', 'hex');
const CHECKSUM_BYTES = 4;

export function iteratorText(iterator: ShardIterator): string {
  const { streamName, streamCreatedMs, shardIndex, position, issuedMs } = iterator;
  const body = Buffer.from([issuedMs, streamCreatedMs, shardIndex, position, streamName].join('/'));
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([LEAD, checksum, body]).toString('base64');
}

/** Throws InvalidArgumentException for any other text, ExpiredIteratorException for one that is too old. */
export function readIterator(text: string, nowMs: number): ShardIterator {
  const iterator = parse(text);
  if (!iterator) throw invalidArgument('Invalid ShardIterator.');
  if (nowMs - iterator.issuedMs > ITERATOR_AGE_MS_MAX) {
    throw new ApiError(
      'ExpiredIteratorException',
      `Iterator expired. The iterator was created at time ${utc(iterator.issuedMs)} while right now it is ${utc(nowMs)} ` +
        `which is further in the future than the tolerated delay of ${ITERATOR_AGE_MS_MAX} milliseconds.`,
    );
  }
  return iterator;
}

function parse(text: string): ShardIterator | undefined {
  const bytes = Buffer.from(text, 'base64');
  const headBytes = LEAD.length + CHECKSUM_BYTES;
  if (bytes.length < headBytes || !bytes.subarray(0, LEAD.length).equals(LEAD)) return undefined;
  const body = bytes.subarray(headBytes);
  if (bytes.readUInt32BE(LEAD.length) !== crc32(body)) return undefined;
  const [issuedMs, streamCreatedMs, shardIndex, position, ...name] = body.toString().split('/');
  return {
    issuedMs: Number(issuedMs),
    streamCreatedMs: Number(streamCreatedMs),
    shardIndex: Number(shardIndex),
    position: Number(position),
    streamName: name.join('/'),
  };
}

/** `Thu Jan 22 01:22:02 UTC 2015`, as AWS writes it. */
function utc(ms: number): string {
  const [day, date, month, year, time] = new Date(ms).toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}
