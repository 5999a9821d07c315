import { EVENT_LIMITS } from './device-event.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { holdsNumberThatBecomesZero, isStorableNumber } from './json-number.ts';
import { type Rejection, rejection } from './rejection.ts';

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
    return isStorableNumber(value)
      ? undefined
      : rejection('number-out-of-range', 'numbers must lie between 1e-130 and 9.99e125, or be 0');
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

/**
 * What is wrong with an event beside its data, or undefined: history is read as JSON again, so that no member, known or
 * not, may be nested without end, nor hold a number that becomes infinite or 0.
 */
export function faultOfWhole(event: JsonObject, text: string): Rejection | undefined {
  for (const name in event) {
    const value = event[name];
    // Texts and what is absent are most of an event; its data were checked as attributes.
    if (typeof value === 'string' || value === undefined || name === 'data') continue;
    const fault = faultOfOther(value, 0);
    if (fault !== undefined) return fault;
  }
  return holdsNumberThatBecomesZero(text)
    ? rejection('number-out-of-range', 'a number that is not 0 becomes 0 in a double')
    : undefined;
}

function faultOfOther(value: JsonValue, depth: number): Rejection | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return rejection('number-out-of-range', 'a number becomes infinite in a double');
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= EVENT_LIMITS.depthMax) {
    return rejection('data-too-deep', `more than ${EVENT_LIMITS.depthMax} levels of arrays and objects`);
  }
  for (const member of Object.values(value)) {
    const fault = faultOfOther(member, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
