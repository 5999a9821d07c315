import { MAPPING_LIMITS } from './limits.ts';
import { InvalidDocument } from './mapping-fault.ts';
import { isPayloadArray, isPayloadObject, type PayloadValue } from './payload-value.ts';
import type { Scope } from './scope.ts';

/** Where a path begins. Without a root it begins at the item, which is the payload where a rule has no `each`. */
export const PATH_ROOTS = ['payload', 'envelope', 'item', 'carried', 'record', 'key', 'index'] as const;
type PathRoot = (typeof PATH_ROOTS)[number];

interface Path {
  readonly root: PathRoot;
  readonly segments: readonly (string | number)[];
}

const ROOT = /^\$([a-z]+)(?=[.[]|$)/;
/** A name, an index from the start or, negative, from the end, or a name in quotes. */
const SEGMENT = /(?:^|\.)([^.[\]"$][^.[\]"]*)|\[(-?\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\]/y;

/**
 * Reads a path: `uplink.rx[0].rssi`, `["a.b"].c`, `$payload.header.timestamp`, `$record.partitionKey`. Throws
 * InvalidDocument for any other text.
 */
export function parsePath(text: string, at: string): Path {
  const found = ROOT.exec(text)?.[1];
  const root = found === undefined ? 'item' : PATH_ROOTS.find((name) => name === found);
  if (root === undefined) {
    throw new InvalidDocument(
      at,
      `unknown root $${found}; known: ${PATH_ROOTS.map((name) => `$${name}`).join(' ')}`,
    );
  }
  let from = found === undefined ? 0 : found.length + 1;
  const segments: (string | number)[] = [];
  while (from < text.length) {
    SEGMENT.lastIndex = from;
    const match = SEGMENT.exec(text);
    if (match === null) throw new InvalidDocument(at, `invalid path at character ${from + 1}`);
    const [, name, index, quoted] = match;
    if (name !== undefined) segments.push(name);
    else if (index !== undefined) segments.push(Number(index));
    else segments.push(readQuoted(quoted ?? '', at));
    from = SEGMENT.lastIndex;
  }
  if (segments.length > MAPPING_LIMITS.pathCharactersMax / 2)
    throw new InvalidDocument(at, 'the path is too long');
  return { root, segments };
}

function readQuoted(text: string, at: string): string {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidDocument(at, 'a quoted name of the path is not a JSON text');
  }
}

/** The value at a path, own members only; undefined where there is none. */
export type Access = (scope: Scope) => PayloadValue | undefined;

export function compilePath(text: string, at: string): Access {
  const { root, segments } = parsePath(text, at);
  const begin = ROOTS[root];
  const [only] = segments;
  if (segments.length === 0) return begin;
  if (segments.length === 1 && typeof only === 'string') {
    return (scope) => {
      scope.work += 1;
      return memberOf(begin(scope), only);
    };
  }
  return (scope) => {
    scope.work += segments.length;
    let value = begin(scope);
    for (const segment of segments) {
      if (value === undefined) return undefined;
      value = typeof segment === 'string' ? memberOf(value, segment) : elementOf(value, segment);
    }
    return value;
  };
}

const ROOTS: Readonly<Record<PathRoot, Access>> = {
  payload: (scope) => scope.payload,
  envelope: (scope) => scope.envelope,
  item: (scope) => scope.item,
  carried: (scope) => scope.carried,
  record: (scope) => scope.record,
  key: (scope) => scope.key,
  index: (scope) => scope.index,
};

export function memberOf(value: PayloadValue | undefined, name: string): PayloadValue | undefined {
  return isPayloadObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function elementOf(value: PayloadValue, index: number): PayloadValue | undefined {
  return isPayloadArray(value) ? value.at(index) : undefined;
}
