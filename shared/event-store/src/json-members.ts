import { isJsonObject, type JsonObject, type JsonValue } from '@twinstream/device-model';

/*
 * Reads documents that this project wrote. Each function throws TypeError for a member of another type, which their
 * callers report as damage.
 */

export function parseObject(text: string): JsonObject {
  return asObject(JSON.parse(text));
}

export function asObject(value: JsonValue | undefined): JsonObject {
  if (!isJsonObject(value)) throw new TypeError('not a JSON object');
  return value;
}

export function asNumber(value: JsonValue | undefined): number {
  if (typeof value !== 'number') throw new TypeError('not a number');
  return value;
}

export function asText(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError('not a text');
  return value;
}

export function asArray(value: JsonValue | undefined): readonly JsonValue[] {
  if (!Array.isArray(value)) throw new TypeError('not an array');
  return value;
}

/** Members of a list that may be left out when it is empty. */
export function listOf<Member>(value: JsonValue | undefined, read: (member: JsonValue) => Member): Member[] {
  return value === undefined ? [] : asArray(value).map(read);
}

/** The member, or undefined where it is absent. */
export function optional<Member>(
  value: JsonValue | undefined,
  read: (member: JsonValue) => Member,
): Member | undefined {
  return value === undefined ? undefined : read(value);
}
