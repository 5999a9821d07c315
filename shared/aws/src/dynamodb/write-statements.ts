import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { AdvanceRequest, InsertRequest } from './item-client.ts';
import { type Item, itemBytes } from './item-size.ts';

/*
 * Conditional writes as PartiQL statements whose every value is a parameter ("PartiQL for DynamoDB statements", developer
 * guide, read 2026-11). There is one text for each set of attributes that items have, and it is made once.
 */

export interface WriteStatement {
  readonly text: string;
  readonly parameters: AttributeValue[];
  /** True where a failed condition shall return the item that stands there. An INSERT never does (DynamoDB Local 3.3). */
  readonly returnsExisting: boolean;
  readonly tableName: string;
  /** Table and key: equal for statements of one item. */
  readonly place: string;
  /** Size of the item that is written, as DynamoDB reckons it; without what others added. */
  readonly itemBytes: number;
}

/** Names that are kept with the texts that end with them; a text takes as many as its item has attributes, fewer where it begins like another. */
const NODES_MAX = 8_192;
const SEPARATOR = '\u0000';

/**
 * The statements of a table by the names of their attributes, in their order: a text is found without a key being made of
 * some twenty names.
 */
interface NameNode {
  text?: string;
  readonly set: Map<string, NameNode>;
  readonly removed: Map<string, NameNode>;
}

export interface StatementWriter {
  insert(request: InsertRequest): WriteStatement;
  /** Creates the item of an advance. */
  create(request: AdvanceRequest): WriteStatement;
  /** Changes the item of an advance where it is there and its rising attribute is below the new one, or is missing. */
  update(request: AdvanceRequest, where: 'below' | 'missing'): WriteStatement;
}

export function createStatementWriter(): StatementWriter {
  const roots = new Map<string, NameNode>();
  let nodeCount = 0;

  function childOf(nodes: Map<string, NameNode>, name: string): NameNode {
    const known = nodes.get(name);
    if (known !== undefined) return known;
    const node: NameNode = { set: new Map(), removed: new Map() };
    if (nodeCount < NODES_MAX) {
      nodeCount += 1;
      nodes.set(name, node);
    }
    return node;
  }

  function insertOf(tableName: string, key: Item, item: Item, bytes = itemBytes(item)): WriteStatement {
    let node = childOf(roots, tableName);
    const parameters: AttributeValue[] = [];
    for (const name in item) {
      const value = item[name];
      if (value === undefined) continue;
      node = childOf(node.set, name);
      parameters.push(value);
    }
    node.text ??= insertText(tableName, Object.keys(item));
    return {
      text: node.text,
      parameters,
      returnsExisting: false,
      tableName,
      place: placeOf(tableName, key),
      itemBytes: bytes,
    };
  }

  return {
    insert({ tableName, keyNames, item, itemBytes: bytes }) {
      return insertOf(tableName, keyOf(item, keyNames), item, bytes);
    },
    create: ({ tableName, key, attributes }) => insertOf(tableName, key, presentItem(key, attributes)),
    update({ tableName, key, attributes, risingAttribute }, where) {
      let node = childOf(roots, `${where}${SEPARATOR}${tableName}${SEPARATOR}${risingAttribute}`);
      const parameters: AttributeValue[] = [];
      for (const name in attributes) {
        const value = attributes[name];
        node = childOf(value === undefined ? node.removed : node.set, name);
        if (value !== undefined) parameters.push(value);
      }
      const rising = attributes[risingAttribute];
      if (rising === undefined) throw new TypeError(`${risingAttribute} is not among the attributes`);
      for (const name in key) {
        const value = key[name];
        if (value !== undefined) parameters.push(value);
      }
      if (where === 'below') parameters.push(rising);
      node.text ??= updateText({ tableName, key, attributes, risingAttribute }, where);
      return {
        text: node.text,
        parameters,
        returnsExisting: true,
        tableName,
        place: placeOf(tableName, key),
        itemBytes: itemBytes(key) + itemBytes(attributes),
      };
    },
  };
}

function presentItem(key: Item, attributes: AdvanceRequest['attributes']): Item {
  const item: Item = { ...key };
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined) item[name] = value;
  }
  return item;
}

function insertText(tableName: string, names: readonly string[]): string {
  const members = names.map((name) => `'${name.replaceAll("'", "''")}': ?`);
  return `INSERT INTO ${quoted(tableName)} VALUE {${members.join(', ')}}`;
}

/** Without an OR, which not every emulator reads beside the equalities of the key. */
function updateText(
  { tableName, key, attributes, risingAttribute }: AdvanceRequest,
  where: 'below' | 'missing',
): string {
  const names = Object.keys(attributes);
  const sets = names.filter((name) => attributes[name] !== undefined).map((name) => `SET ${quoted(name)}=?`);
  const removes = names
    .filter((name) => attributes[name] === undefined)
    .map((name) => `REMOVE ${quoted(name)}`);
  const isItem = Object.keys(key).map((name) => `${quoted(name)}=?`);
  const rising = quoted(risingAttribute);
  return [
    `UPDATE ${quoted(tableName)}`,
    ...sets,
    ...removes,
    `WHERE ${isItem.join(' AND ')} AND ${rising} ${where === 'below' ? '< ?' : 'IS MISSING'}`,
  ].join(' ');
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** An item's key. */
export function keyOf(item: Item, keyNames: readonly (string | undefined)[]): Item {
  const key: Item = {};
  for (const name of keyNames) {
    const value = name === undefined ? undefined : item[name];
    if (name !== undefined && value !== undefined) key[name] = value;
  }
  return key;
}

/** Table and key as one text. */
export function placeOf(tableName: string, key: Item): string {
  let place = tableName;
  for (const name in key) {
    const value = key[name];
    const text =
      value?.S ?? value?.N ?? (value?.B === undefined ? '' : Buffer.from(value.B).toString('base64'));
    place += SEPARATOR + text;
  }
  return place;
}
