import { isPayloadObject, type PayloadObject, type PayloadValue, setMember } from './payload-value.ts';
import { type Scope, spend } from './scope.ts';

/** Members by name, in the order of the object. */
export function pickMembers(
  object: PayloadObject,
  names: ReadonlySet<string>,
  isPicked: boolean,
): PayloadObject {
  const picked: { [name: string]: PayloadValue } = {};
  for (const name of Object.keys(object)) {
    if (names.has(name) === isPicked) setMember(picked, name, object[name] ?? null);
  }
  return picked;
}

export function renameMembers(object: PayloadObject, names: ReadonlyMap<string, string>): PayloadObject {
  const renamed: { [name: string]: PayloadValue } = {};
  for (const [name, value] of Object.entries(object)) setMember(renamed, names.get(name) ?? name, value);
  return renamed;
}

/** Members of nested objects under joined names: `{a: {b: 1}}` becomes `{"a.b": 1}`. Arrays and empty objects stay values. */
export function flattenMembers(
  scope: Scope,
  object: PayloadObject,
  separator: string,
  at: string,
): PayloadObject {
  const flat: { [name: string]: PayloadValue } = {};
  const enter = (members: PayloadObject, prefix: string): void => {
    for (const [name, value] of Object.entries(members)) {
      spend(scope, 1, at);
      const joined = prefix === '' ? name : `${prefix}${separator}${name}`;
      if (isPayloadObject(value) && Object.keys(value).length > 0) enter(value, joined);
      else setMember(flat, joined, value);
    }
  };
  enter(object, '');
  return flat;
}
