import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/*
 * How DynamoDB counts the bytes of an item. Sources: DynamoDB developer guide, "DynamoDB item sizes and formats" and
 * "Quotas", read 2026-11; a contract test compares both with what DynamoDB Local charges.
 */

/** An attribute of type list or map, besides its members. */
const DOCUMENT_BYTES = 3;
/** Each member of a list or map, besides its name and value. */
const MEMBER_BYTES = 1;
const BYTES_PER_WRITE_UNIT = 1_024;
export const ITEM_BYTES_MAX = 400 * 1_024;

export type Item = Record<string, AttributeValue>;

/**
 * Bytes of an item as DynamoDB bills and limits it: names and values, without the storage overhead that no write pays.
 * Attributes without a value are none.
 */
export function itemBytes(item: Readonly<Record<string, AttributeValue | undefined>>): number {
  let bytes = 0;
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) bytes += textBytes(name) + valueBytes(value);
  }
  return bytes;
}

/** Write units of a put or update whose larger side has this size. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BYTES_PER_WRITE_UNIT));
}

/** Shorter texts are counted here: a call into Node takes longer. */
const NATIVE_COUNT_CHARACTERS_MIN = 48;

export function textBytes(text: string): number {
  if (text.length >= NATIVE_COUNT_CHARACTERS_MIN) return Buffer.byteLength(text, 'utf8');
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) > 0x7f) return Buffer.byteLength(text, 'utf8');
  }
  return text.length;
}

function valueBytes(value: AttributeValue | undefined): number {
  if (value === undefined) return 0;
  if (value.S !== undefined) return textBytes(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.L !== undefined) {
    return value.L.reduce((bytes, member) => bytes + MEMBER_BYTES + valueBytes(member), DOCUMENT_BYTES);
  }
  if (value.M !== undefined) {
    let bytes = DOCUMENT_BYTES;
    for (const name in value.M) bytes += textBytes(name) + valueBytes(value.M[name]) + MEMBER_BYTES;
    return bytes;
  }
  if (value.SS !== undefined) return value.SS.reduce((bytes, member) => bytes + textBytes(member), 0);
  throw new TypeError('a type of value that this project does not write');
}

const [POINT, ZERO, SMALL_E, LARGE_E] = ['.', '0', 'e', 'E'].map((character) => character.charCodeAt(0));

/**
 * One byte for two significant digits, one for the exponent and one for a minus. The guide says "approximately":
 * DynamoDB Local pairs the digits from the decimal point (1.5 takes two pairs, 15 one), and so does this.
 */
function numberBytes(text: string): number {
  const sign = text.startsWith('-') ? 1 : 0;
  let digits = 0;
  let digitsBeforePoint = -1;
  let firstSignificant = -1;
  let lastSignificant = -1;
  let exponent = 0;
  for (let at = sign; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === POINT) {
      digitsBeforePoint = digits;
    } else if (code === SMALL_E || code === LARGE_E) {
      exponent = Number(text.slice(at + 1));
      break;
    } else {
      if (code !== ZERO) {
        if (firstSignificant < 0) firstSignificant = digits;
        lastSignificant = digits;
      }
      digits += 1;
    }
  }
  if (firstSignificant < 0) return 1;
  const wholeDigits = (digitsBeforePoint < 0 ? digits : digitsBeforePoint) - firstSignificant + exponent;
  const halfPair = wholeDigits % 2 === 0 ? 0 : 1;
  return Math.ceil((lastSignificant - firstSignificant + 1 + halfPair) / 2) + 1 + sign;
}
