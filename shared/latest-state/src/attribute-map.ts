import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DeviceState, JsonValue } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';

/*
 * JSON values as native DynamoDB values and back. Doubles print in at most 17 digits and come back the same, but for
 * -0, which DynamoDB turns into 0. Members of a map have no order there.
 */

type AttributeMap = Record<string, AttributeValue>;

/** What no plain object can hold as a member: the SDK and emulators would set the prototype and lose the value. */
const PROTOTYPE_NAME = /^_*__proto__$/;
const ESCAPED_PROTOTYPE_NAME = /^_+__proto__$/;

function storedName(name: string): string {
  return name.startsWith('_') && PROTOTYPE_NAME.test(name) ? `_${name}` : name;
}

function ownName(stored: string): string {
  return stored.startsWith('_') && ESCAPED_PROTOTYPE_NAME.test(stored) ? stored.slice(1) : stored;
}

/** Native map of values by name. `__proto__` is stored with one more underscore in front, as are names that look like the result. */
export function attributeMap(entries: Iterable<readonly [string, JsonValue]>): AttributeMap {
  const map: AttributeMap = {};
  for (const [name, value] of entries) map[storedName(name)] = attributeValue(value);
  return map;
}

/** {@link attributeMap} of a state's attributes that have a value. */
export function presentAttributeMap(attributes: DeviceState['attributes']): AttributeMap {
  const map: AttributeMap = {};
  for (const [name, { value }] of attributes) {
    if (value !== undefined) map[storedName(name)] = attributeValue(value);
  }
  return map;
}

/** Inverse of {@link attributeMap}. Throws `DAMAGED_ITEM` for a value of a type that JSON does not have. */
export function readAttributeMap(map: AttributeMap): Map<string, JsonValue> {
  const entries = new Map<string, JsonValue>();
  for (const name of Object.keys(map)) {
    const value = map[name];
    if (value !== undefined) entries.set(ownName(name), jsonValue(value));
  }
  return entries;
}

function attributeValue(value: JsonValue): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value === null) return { NULL: true };
  if (isList(value)) return { L: value.map(attributeValue) };
  return { M: attributeMap(Object.entries(value)) };
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function jsonValue(value: AttributeValue): JsonValue {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.NULL !== undefined) return null;
  if (value.L !== undefined) return value.L.map(jsonValue);
  // Unlike an assignment, this makes a member of every name its own.
  if (value.M !== undefined) return Object.fromEntries(readAttributeMap(value.M));
  throw new CodedError('DAMAGED_ITEM', `a value has a type that JSON does not have: ${Object.keys(value)}`);
}
