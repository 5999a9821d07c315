import { addExtension, Decoder, FLOAT32_OPTIONS } from 'cbor-x';
import { RECORD_LIMITS } from './limits.ts';
import { numberOfWords, type PayloadValue, setMember } from './payload-value.ts';

const decoder = new Decoder({
  mapsAsObjects: false,
  useRecords: false,
  useFloat32: FLOAT32_OPTIONS.DECIMAL_ROUND,
});

/** Bytes of a whole number of any size (RFC 8949, 3.4.3): 1,024 bits are beyond what a state item or a double holds. */
const BIGNUM_BYTES_MAX = 128;
const [POSITIVE_BIGNUM, NEGATIVE_BIGNUM] = [2, 3];

/** What is only read has neither a class nor an encoder. */
type Decoding = Parameters<typeof addExtension>[0];

// The library takes quadratic time for them: 650 KB, and a record would never end.
addExtension({ tag: POSITIVE_BIGNUM, decode: wholeNumber } as Decoding);
addExtension({ tag: NEGATIVE_BIGNUM, decode: (bytes: unknown) => -1n - wholeNumber(bytes) } as Decoding);

function wholeNumber(bytes: unknown): bigint {
  if (!(bytes instanceof Uint8Array) || bytes.length > BIGNUM_BYTES_MAX) throw new RangeError('not a number');
  return BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
}

/**
 * One CBOR item (RFC 8949) as a JSON value: byte strings as base64, names of any type as text, dates as ISO 8601, whole
 * numbers of 64 bits in their own digits. Throws where the bytes are no such item.
 */
export function decodeCbor(bytes: Uint8Array): PayloadValue {
  // Each value takes a byte at least, but where one is referred to repeatedly (tags 28 and 29): 226 bytes made 2^28.
  return plainOf(decoder.decode(bytes), 0, { left: bytes.length });
}

/** Values that may still be made. */
interface Allowance {
  left: number;
}

/** A decoded value of any library as a JSON value. Throws TypeError for what JSON has no value for. */
export function plainOf(value: unknown, depth: number, allowance?: Allowance): PayloadValue {
  if (depth > RECORD_LIMITS.depthMax) throw new RangeError('too deep');
  if (allowance !== undefined) {
    allowance.left -= 1;
    if (allowance.left < 0) throw new RangeError('more values than bytes');
  }
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('not a finite number');
    return value;
  }
  if (typeof value === 'bigint') return numberOfWords(String(value));
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((element) => plainOf(element, depth + 1, allowance));
  if (value instanceof Map) return objectOf(value, depth, allowance);
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return objectOf(Object.entries(value), depth, allowance);
  }
  throw new TypeError('not a JSON value');
}

function objectOf(
  entries: Iterable<readonly [unknown, unknown]>,
  depth: number,
  allowance: Allowance | undefined,
): PayloadValue {
  const object: { [name: string]: PayloadValue } = {};
  for (const [name, value] of entries) {
    if (!['string', 'number', 'bigint', 'boolean'].includes(typeof name)) throw new TypeError('not a name');
    setMember(object, String(name), plainOf(value, depth + 1, allowance));
  }
  return object;
}
