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

/** Texts that are kept. */
const TEXTS_MAX = 1_024;
const SEPARATOR = '\u0000';

export interface StatementWriter {
  insert(request: InsertRequest): WriteStatement;
  /** Creates the item of an advance. */
  create(request: AdvanceRequest): WriteStatement;
  /** Changes the item of an advance where it is there and its rising attribute is below the new one, or is missing. */
  update(request: AdvanceRequest, where: 'below' | 'missing'): WriteStatement;
}

export function createStatementWriter(): StatementWriter {
  const texts = new Map<string, string>();

  function textOf(signature: string, make: () => string): string {
    const known = texts.get(signature);
    if (known !== undefined) return known;
    const text = make();
    if (texts.size < TEXTS_MAX) texts.set(signature, text);
    return text;
  }

  function insertOf(tableName: string, key: Item, item: Item): WriteStatement {
    const names = Object.keys(item);
    const text = textOf(`${tableName}${SEPARATOR}${names.join(SEPARATOR)}`, () =>
      insertText(tableName, names),
    );
    return {
      text,
      parameters: Object.values(item),
      returnsExisting: false,
      tableName,
      place: placeOf(tableName, key),
      itemBytes: itemBytes(item),
    };
  }

  return {
    insert({ tableName, keyNames, item }) {
      return insertOf(tableName, keyOf(item, keyNames), item);
    },
    create: ({ tableName, key, attributes }) => insertOf(tableName, key, presentItem(key, attributes)),
    update({ tableName, key, attributes, risingAttribute }, where) {
      let signature = `${where}${SEPARATOR}${tableName}${SEPARATOR}${risingAttribute}`;
      const parameters: AttributeValue[] = [];
      for (const name in attributes) {
        const value = attributes[name];
        signature += value === undefined ? `${SEPARATOR}-${name}` : `${SEPARATOR}${name}`;
        if (value !== undefined) parameters.push(value);
      }
      const rising = attributes[risingAttribute];
      if (rising === undefined) throw new TypeError(`${risingAttribute} is not among the attributes`);
      parameters.push(...Object.values(key));
      if (where === 'below') parameters.push(rising);
      return {
        text: textOf(signature, () => updateText({ tableName, key, attributes, risingAttribute }, where)),
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
  for (const { S, N, B } of Object.values(key)) {
    place += SEPARATOR + (S ?? N ?? (B === undefined ? '' : Buffer.from(B).toString('base64')));
  }
  return place;
}
