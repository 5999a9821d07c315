import { hash } from 'node:crypto';
import { HASH_KEY_MAX } from '@twinstream/stream-model';

/**
 * Hash keys inside this server are 32 lower-case hexadecimal digits, so that text order is number order and a shard is
 * found without big integers.
 */
const HEX_DIGITS = 32;

export function hashKeyText(key: bigint): string {
  return key.toString(16).padStart(HEX_DIGITS, '0');
}

export function hashKeyOf(text: string): bigint {
  return BigInt(`0x${text}`);
}

/** Hash key of a partition key: the MD5 of its UTF-8 bytes. */
export function partitionHashKey(partitionKey: string): string {
  return hash('md5', partitionKey, 'hex');
}

/** Hash key of a decimal number, or undefined when it is above 2^128 - 1. */
export function explicitHashKey(decimal: string): string | undefined {
  const key = BigInt(decimal);
  return key > HASH_KEY_MAX ? undefined : hashKeyText(key);
}
