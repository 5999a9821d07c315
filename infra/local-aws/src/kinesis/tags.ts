import { invalidArgument } from './api-error.ts';
import { list, mapOf, text } from './request-shape.ts';
import type { Members } from './wire-format.ts';

/** Values by their keys. */
export type Tags = Readonly<Record<string, string>>;

/** API reference, TagResource, and developer guide, "Tag restrictions" (read 2026-12). */
const TAGS_MAX = 50;
const TAGS_PER_REQUEST_MAX = 200;
const KEY = { min: 1, max: 128 };
const VALUE = { max: 256 };
const CHARACTERS = /^[\p{L}\p{N}\p{Z}_./=+\-%@:]*$/u;

export const TAGS = mapOf(text(KEY), text(VALUE), { min: 0, max: TAGS_PER_REQUEST_MAX });
export const TAG_KEYS = list(text(KEY), { min: 1, max: TAGS_MAX });

/** The tags with others added, which replace those of the same key. Throws InvalidArgumentException. */
export function withTags(tags: Tags, added: Tags): Tags {
  const texts = [...Object.keys(added), ...Object.values(added)];
  if (!texts.every((value) => CHARACTERS.test(value))) {
    throw invalidArgument(
      'Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @ :.',
    );
  }
  const all = { ...tags, ...added };
  if (Object.keys(all).length > TAGS_MAX) {
    throw invalidArgument(`A resource cannot have more than ${TAGS_MAX} tags associated with it.`);
  }
  return all;
}

/** The tags without those of some keys; keys that it does not have are ignored. */
export function withoutTags(tags: Tags, keys: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)));
}

/** Tags of the API, in order of their keys. */
export function tagMembers(tags: Tags): readonly Members[] {
  return Object.entries(tags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }));
}
