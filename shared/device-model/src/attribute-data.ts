import { EVENT_LIMITS } from './device-event.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { type Rejection, rejection } from './rejection.ts';

// DynamoDB developer guide, "Supported data types": numbers from 1E-130 to 9.99…E+125, either sign, and zero (read 2026-11).
const MAGNITUDE_MIN = 1e-130;
const MAGNITUDE_MAX = 9.99e125;

/** What is wrong with the attributes of an event, or undefined: whatever passes can be held by the state item, whole. */
export function faultOfData(data: JsonObject): Rejection | undefined {
  const names = Object.keys(data);
  if (names.length > EVENT_LIMITS.attributesMax) {
    return rejection(
      'too-many-attributes',
      `${names.length} attributes; the limit is ${EVENT_LIMITS.attributesMax}`,
    );
  }
  for (const name of names) {
    if (name === '' || name.length > EVENT_LIMITS.attributeNameCharactersMax || !name.isWellFormed()) {
      return rejection('invalid-attribute-name', 'attribute names must be 1-128 characters');
    }
    const fault = faultOfValue(data[name] as JsonValue, 0);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfValue(value: JsonValue, depth: number): Rejection | undefined {
  if (typeof value === 'number') {
    const magnitude = Math.abs(value);
    return value !== 0 && !(magnitude >= MAGNITUDE_MIN && magnitude <= MAGNITUDE_MAX)
      ? rejection('number-out-of-range', 'numbers must lie between 1e-130 and 9.99e125, or be 0')
      : undefined;
  }
  if (typeof value === 'string') {
    return value.isWellFormed()
      ? undefined
      : rejection('invalid-text', 'a text holds half of a surrogate pair');
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= EVENT_LIMITS.depthMax) {
    return rejection('data-too-deep', `more than ${EVENT_LIMITS.depthMax} levels of arrays and objects`);
  }
  if (!Array.isArray(value)) {
    for (const name of Object.keys(value)) {
      if (name === '' || !name.isWellFormed()) {
        return rejection('invalid-attribute-name', 'member names inside an attribute must not be empty');
      }
    }
  }
  for (const member of Object.values(value)) {
    const fault = faultOfValue(member, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
