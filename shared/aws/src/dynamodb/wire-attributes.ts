import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/*
 * In DynamoDB's JSON a value is what the SDK has in memory, but for binary ones, which are base64 there ("DynamoDB
 * low-level API", developer guide); the contract suites on DynamoDB Local hold it to that.
 */

type AttributeMap = Readonly<Record<string, AttributeValue>>;

/** A map of values as JSON takes it: the map itself where none is binary. */
export function wireAttributes(map: AttributeMap): unknown {
  return Object.values(map).some(hasBinary) ? mapValues(map, wireValue) : map;
}

/** A list of values as JSON takes it. */
export function wireValues(values: readonly AttributeValue[]): unknown {
  return values.some(hasBinary) ? values.map(wireValue) : values;
}

function hasBinary({ B, BS, M, L }: AttributeValue): boolean {
  if (B !== undefined || BS !== undefined) return true;
  if (M !== undefined) return Object.values(M).some(hasBinary);
  return L?.some(hasBinary) ?? false;
}

function wireValue(value: AttributeValue): unknown {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64) };
  if (value.M !== undefined) return { M: mapValues(value.M, wireValue) };
  if (value.L !== undefined) return { L: value.L.map(wireValue) };
  return value;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** A value as JSON holds it: binary ones are texts. */
type WireValue = Omit<AttributeValue, 'B' | 'BS' | 'M' | 'L'> & {
  readonly B?: string;
  readonly BS?: readonly string[];
  readonly M?: WireAttributes;
  readonly L?: readonly WireValue[];
};
export type WireAttributes = Readonly<Record<string, WireValue>>;

/** Inverse of {@link wireAttributes}. */
export function readWireAttributes(map: WireAttributes): Record<string, AttributeValue> {
  return mapValues(map, readWireValue);
}

function readWireValue({ B, BS, M, L, ...plain }: WireValue): AttributeValue {
  if (B !== undefined) return { B: Buffer.from(B, 'base64') };
  if (BS !== undefined) return { BS: BS.map((text) => Buffer.from(text, 'base64')) };
  if (M !== undefined) return { M: mapValues(M, readWireValue) };
  if (L !== undefined) return { L: L.map(readWireValue) };
  return plain as AttributeValue;
}

/** Unlike an assignment, `fromEntries` makes a member of every name the object's own. */
function mapValues<From, To>(
  map: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));
}
