import { Decoder, FLOAT32_OPTIONS } from 'cbor-x';
import { RECORD_LIMITS } from './limits.ts';
import { numberOfWords, type PayloadValue, setMember } from './payload-value.ts';

const decoder = new Decoder({
  mapsAsObjects: false,
  useRecords: false,
  useFloat32: FLOAT32_OPTIONS.DECIMAL_ROUND,
});

/**
 * One CBOR item (RFC 8949) as a JSON value: byte strings as base64, names of any type as text, dates as ISO 8601, whole
 * numbers of 64 bits in their own digits. Throws where the bytes are no such item.
 */
export function decodeCbor(bytes: Uint8Array): PayloadValue {
  return plainOf(decoder.decode(bytes), 0);
}

/** A decoded value of any library as a JSON value. Throws TypeError for what JSON has no value for. */
export function plainOf(value: unknown, depth: number): PayloadValue {
  if (depth > RECORD_LIMITS.depthMax) throw new RangeError('too deep');
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('not a finite number');
    return value;
  }
  if (typeof value === 'bigint') return numberOfWords(String(value));
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((element) => plainOf(element, depth + 1));
  if (value instanceof Map) return objectOf(value, depth);
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return objectOf(Object.entries(value), depth);
  }
  throw new TypeError('not a JSON value');
}

function objectOf(entries: Iterable<readonly [unknown, unknown]>, depth: number): PayloadValue {
  const object: { [name: string]: PayloadValue } = {};
  for (const [name, value] of entries) {
    if (!['string', 'number', 'bigint', 'boolean'].includes(typeof name)) throw new TypeError('not a name');
    setMember(object, String(name), plainOf(value, depth + 1));
  }
  return object;
}
