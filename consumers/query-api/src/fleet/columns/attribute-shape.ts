import type { DeviceJson } from '@twinstream/api-contract';
import { NONE } from './intern-table.ts';

type Attributes = DeviceJson['attributes'];
type Value = Attributes[string];

/** What a cell holds of a value. `text` and `json`: the number of a text. `object`: none, its members have cells. */
export type CellKind = 'number' | 'text' | 'boolean' | 'null' | 'json' | 'object';

/** A member of a shape that has a cell, or, of an object, as many as its members have. */
interface ShapeMember {
  readonly name: string;
  readonly kind: CellKind;
  /** The first cell, from that of the whole shape. */
  readonly cell: number;
  readonly members: readonly ShapeMember[];
}

/** The names of attributes and the kinds of their values: what many devices have in common. */
export interface AttributeShape {
  /** From which it was parsed. */
  readonly key: string;
  readonly members: readonly ShapeMember[];
  readonly byName: ReadonlyMap<string, ShapeMember>;
  readonly cellCount: number;
  /** Cells that hold the number of a text. */
  readonly textCells: readonly number[];
}

/** Attributes as a shape and cells. */
export interface ShapedAttributes {
  /** Equal for equal shapes, and for no other. */
  readonly key: string;
  /** Where the kind is `text` or `json`, the text itself. */
  readonly cells: readonly (number | string)[];
}

/** Objects inside objects have members of their own down to this depth; what lies deeper is kept as JSON. */
const DEPTH_MAX = 3;
/** So have objects of up to this number of members. */
const MEMBERS_MAX = 64;

const MARKS: Readonly<Record<Exclude<CellKind, 'object'>, string>> = {
  number: '#',
  text: 'T',
  boolean: 'B',
  null: 'N',
  json: 'J',
};
const KINDS = new Map(Object.entries(MARKS).map(([kind, mark]) => [mark, kind as CellKind]));

export function shapeAttributes(attributes: Attributes): ShapedAttributes {
  const cells: (number | string)[] = [];
  let key = '';
  for (const name of Object.keys(attributes)) key += memberKey(name, attributes[name] ?? null, cells, 1);
  return { key, cells };
}

/** A member reads `LENGTH:NAME` and the mark of its kind; an object has its members between braces. */
function memberKey(name: string, value: Value, cells: (number | string)[], depth: number): string {
  return `${name.length}:${name}${valueKey(value, cells, depth)}`;
}

function valueKey(value: Value, cells: (number | string)[], depth: number): string {
  switch (typeof value) {
    case 'number':
      cells.push(value);
      return MARKS.number;
    case 'string':
      cells.push(value);
      return MARKS.text;
    case 'boolean':
      cells.push(value ? 1 : 0);
      return MARKS.boolean;
    default:
      return value === null ? MARKS.null : objectKey(value, cells, depth);
  }
}

function objectKey(value: object, cells: (number | string)[], depth: number): string {
  const names = Object.keys(value);
  if (Array.isArray(value) || depth > DEPTH_MAX || names.length > MEMBERS_MAX) {
    cells.push(JSON.stringify(value));
    return MARKS.json;
  }
  const object = value as Attributes;
  let key = '{';
  for (const name of names) key += memberKey(name, object[name] ?? null, cells, depth + 1);
  return `${key}}`;
}

/** Inverse of the key of {@link shapeAttributes}. */
export function parseShape(key: string): AttributeShape {
  const textCells: number[] = [];
  let at = 0;
  let cell = 0;

  function membersUntil(end: string): ShapeMember[] {
    const members: ShapeMember[] = [];
    while (at < key.length && key[at] !== end) members.push(member());
    at += 1;
    return members;
  }

  function member(): ShapeMember {
    const colon = key.indexOf(':', at);
    const nameEnd = colon + 1 + Number(key.slice(at, colon));
    const name = key.slice(colon + 1, nameEnd);
    const mark = key[nameEnd] ?? '';
    at = nameEnd + 1;
    if (mark === '{') return { name, kind: 'object', cell, members: membersUntil('}') };
    const kind = KINDS.get(mark) ?? 'null';
    const own = { name, kind, cell, members: [] };
    if (kind === 'text' || kind === 'json') textCells.push(cell);
    if (kind !== 'null') cell += 1;
    return own;
  }

  const members = membersUntil('');
  const byName = new Map(members.map((one) => [one.name, one]));
  return { key, members, byName, cellCount: cell, textCells };
}

/**
 * The attributes again. Members are defined, not assigned, so that an attribute named `__proto__` is one like any other.
 *
 * @param cellOf by the number of the cell
 */
export function readAttributes(
  { members }: Pick<AttributeShape, 'members'>,
  cellOf: (cell: number) => number,
  textOf: (number: number) => string,
): Attributes {
  return Object.fromEntries(
    members.map((member) => [member.name, memberValue(member, cellOf, textOf)]),
  ) as Attributes;
}

export function memberValue(
  member: ShapeMember,
  cellOf: (cell: number) => number,
  textOf: (number: number) => string,
): Value {
  const { kind, cell } = member;
  switch (kind) {
    case 'number':
      return cellOf(cell);
    case 'text':
      return textOf(cellOf(cell));
    case 'boolean':
      return cellOf(cell) !== NONE;
    case 'json':
      return JSON.parse(textOf(cellOf(cell)));
    case 'object':
      return readAttributes(member, cellOf, textOf) as Value;
    default:
      return null;
  }
}
