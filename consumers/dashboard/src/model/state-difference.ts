import type { JsonObject, JsonValue } from '@twinstream/device-model';

/** Difference of one attribute between two moments. */
export type AttributeChange =
  | { readonly name: string; readonly change: 'same'; readonly before: JsonValue; readonly after: JsonValue }
  | {
      readonly name: string;
      readonly change: 'changed';
      readonly before: JsonValue;
      readonly after: JsonValue;
    }
  | { readonly name: string; readonly change: 'added'; readonly after: JsonValue }
  | { readonly name: string; readonly change: 'removed'; readonly before: JsonValue };

/** Equality of JSON values, whatever the order of members. */
export function isEqualJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const membersA = Object.entries(a);
  const membersB = new Map<string, JsonValue>(Object.entries(b));
  return (
    membersA.length === membersB.size &&
    membersA.every(([name, value]) => membersB.has(name) && isEqualJson(value, membersB.get(name)))
  );
}

/** Every attribute of either state by name, in the order of names, with its difference. */
export function differenceOf(then: JsonObject, now: JsonObject): readonly AttributeChange[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort((a, b) => (a < b ? -1 : 1));
  return names.map((name): AttributeChange => {
    const before = Object.hasOwn(then, name) ? then[name] : undefined;
    const after = Object.hasOwn(now, name) ? now[name] : undefined;
    if (before === undefined) return { name, change: 'added', after: after ?? null };
    if (after === undefined) return { name, change: 'removed', before };
    return { name, change: isEqualJson(before, after) ? 'same' : 'changed', before, after };
  });
}
