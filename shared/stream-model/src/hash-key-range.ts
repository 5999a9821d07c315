import { hash } from 'node:crypto';

/** The largest hash key: 2^128 - 1 (Kinesis API reference, HashKeyRange, read 2026-11). */
export const HASH_KEY_MAX = 2n ** 128n - 1n;

/** Hash keys from `start` to `end`, both included. */
export interface HashKeyRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Hash key of a partition key: its MD5 as an unsigned 128-bit integer (Kinesis API reference, PutRecord). */
export function hashKey(partitionKey: string): bigint {
  return BigInt(`0x${hashKeyHex(partitionKey)}`);
}

/** A hash key as 32 hexadecimal digits, whose order as text is that of the numbers. Half the cost of {@link hashKey}. */
export function hashKeyHex(partitionKey: string): string {
  return hash('md5', partitionKey, 'hex');
}

/** The text form of a hash key: see {@link hashKeyHex}. */
export function toHashKeyHex(key: bigint): string {
  return key.toString(16).padStart(32, '0');
}

// Kinesis API reference, ExplicitHashKey: pattern 0|([1-9]\d{0,38}) (read 2026-11).
const EXPLICIT_HASH_KEY = /^(?:0|[1-9]\d{0,38})$/;

/** The hash key that an explicit hash key or a shard's range names in decimal; undefined when the text is none. */
export function parseHashKey(text: string): bigint | undefined {
  if (!EXPLICIT_HASH_KEY.test(text)) return undefined;
  const key = BigInt(text);
  return key <= HASH_KEY_MAX ? key : undefined;
}

export function contains(range: HashKeyRange, key: bigint): boolean {
  return key >= range.start && key <= range.end;
}

/** Splits all hash keys evenly into `count` ranges, in order, the last taking the remainder, as CreateStream does. Throws RangeError unless `count` is a positive integer. */
export function evenRanges(count: number): readonly HashKeyRange[] {
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`not a count of ranges: ${count}`);
  const width = (HASH_KEY_MAX + 1n) / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    start: width * BigInt(index),
    end: index === count - 1 ? HASH_KEY_MAX : width * BigInt(index + 1) - 1n,
  }));
}
