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

/** Bytes of an item as DynamoDB bills and limits it: names and values, without the storage overhead that no write pays. */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const name of Object.keys(item)) bytes += textBytes(name) + valueBytes(item[name]);
  return bytes;
}

/** Write units of a put or update whose larger side has this size. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BYTES_PER_WRITE_UNIT));
}

export function textBytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
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
    return DOCUMENT_BYTES + itemBytes(value.M) + MEMBER_BYTES * Object.keys(value.M).length;
  }
  if (value.SS !== undefined) return value.SS.reduce((bytes, member) => bytes + textBytes(member), 0);
  throw new TypeError('a type of value that this project does not write');
}

/**
 * One byte for two significant digits, one for the exponent and one for a minus. The guide says "approximately":
 * DynamoDB Local pairs the digits from the decimal point (1.5 takes two pairs, 15 one), and so does this.
 */
function numberBytes(text: string): number {
  const sign = text.startsWith('-') ? 1 : 0;
  const [mantissa = '', exponent = '0'] = text.slice(sign).split(/e/i);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '').length;
  if (significant === 0) return 1;
  const digitsBeforePoint = digits.length - fraction.length + Number(exponent);
  const halfPair = digitsBeforePoint % 2 === 0 ? 0 : 1;
  return Math.ceil((significant + halfPair) / 2) + 1 + sign;
}
