import { createRequire } from 'node:module';

/*
 * dynalite's own store, for requests that its HTTP server does not know. The package exports neither its store nor the
 * functions on it; both are its files `db/index.js` (dynalite 4.0.0, read 2026-11), and a contract suite holds what is
 * built on them to DynamoDB Local.
 */

/** A value in DynamoDB's JSON. */
export type WireValue = Readonly<Record<string, unknown>>;
export type WireItem = Record<string, WireValue>;

export interface KeySchemaElement {
  readonly AttributeName: string;
}

interface SecondaryIndex {
  readonly IndexName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly Projection: { readonly ProjectionType: string };
}

export interface DynaliteTable {
  readonly TableName: string;
  readonly TableStatus: string;
  readonly TableArn?: string;
  readonly AttributeDefinitions?: readonly {
    readonly AttributeName: string;
    readonly AttributeType: string;
  }[];
  readonly BillingModeSummary?: { readonly BillingMode: string };
  readonly KeySchema: readonly KeySchemaElement[];
  readonly GlobalSecondaryIndexes?: readonly SecondaryIndex[];
  readonly LocalSecondaryIndexes?: readonly SecondaryIndex[];
}

type Callback<Value> = (error: Error | null | undefined, value?: Value) => void;
/** Gives the lock free and passes on what the callback it wraps is called with. */
type Release = <Value>(callback: Callback<Value>) => Callback<Value>;

interface ItemDb {
  lock(key: string, locked: (release: Release) => void): void;
  /** Locks all of the keys; none may be named twice. */
  lock(keys: readonly string[], locked: (release: Release) => void): void;
  get(key: string, done: Callback<WireItem>): void;
  put(key: string, item: WireItem, done: Callback<void>): void;
  createValueStream(): AsyncIterable<WireItem>;
}

interface TableDb {
  lock(name: string, locked: (release: Release) => void): void;
  put(name: string, table: DynaliteTable, done: Callback<void>): void;
}

type LevelOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: WireItem }
  | { readonly type: 'del'; readonly key: string };

/** The database below all tables and indexes (abstract-level 3). */
interface LevelDb {
  getMany(keys: readonly string[]): Promise<(WireItem | undefined)[]>;
  batch(operations: readonly LevelOperation[]): Promise<void>;
}

export interface DynaliteStore {
  readonly options: { readonly maxItemSize: number };
  readonly db: LevelDb;
  readonly tableDb: TableDb;
  getTable(name: string, done: Callback<DynaliteTable>): void;
  getItemDb(name: string): ItemDb;
}

/** An error of dynalite, with the document that DynamoDB answers. */
export interface DynaliteError extends Error {
  readonly body?: { readonly __type: string; readonly message?: string };
}

interface DynaliteDb {
  create(options: object): DynaliteStore;
  validateItem(item: WireItem, table: DynaliteTable): DynaliteError | undefined;
  validateKey(key: WireItem, table: DynaliteTable): DynaliteError | undefined;
  createKey(item: WireItem, table: DynaliteTable): string;
  itemSize(item: WireItem): number;
  compare(comparison: string, value: WireValue | undefined, other: WireValue): boolean;
  /** The entries that indexes get and lose when `item` takes the place of `existing`. */
  getIndexActions(
    indexes: readonly SecondaryIndex[],
    existing: WireItem | undefined,
    item: WireItem,
    table: DynaliteTable,
  ): {
    readonly puts: readonly { readonly index: string; readonly key: string; readonly item: WireItem }[];
    readonly deletes: readonly { readonly index: string; readonly key: string }[];
  };
  updateIndexes(
    store: DynaliteStore,
    table: DynaliteTable,
    existing: WireItem | undefined,
    item: WireItem,
    done: Callback<void>,
  ): void;
}

const require = createRequire(import.meta.url);
export const dynaliteDb: DynaliteDb = require('dynalite/db');
const { validateAttributeValue }: { validateAttributeValue(value: WireValue): string | null | undefined } =
  require('dynalite/validations');

/** Creates a dynalite server and keeps hold of its store. */
export function withStore<Server>(create: () => Server): { server: Server; store: DynaliteStore } {
  const original = dynaliteDb.create;
  let store: DynaliteStore | undefined;
  dynaliteDb.create = (options) => {
    store = original(options);
    return store;
  };
  try {
    const server = create();
    if (store === undefined) throw new TypeError('dynalite made no store: its files have changed');
    return { server, store };
  } finally {
    dynaliteDb.create = original;
  }
}

/** What a conditional write decides on the item that stands at its key. */
export type Decision =
  | { readonly kind: 'write'; readonly item: WireItem }
  | { readonly kind: 'refuse'; readonly code: string; readonly message: string };

export type WriteOutcome =
  | { readonly kind: 'written' }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly existing?: WireItem;
    };

/** An item that DynamoDB would not take, whatever stands at its key. */
export class InvalidItem extends Error {}

/** A write that is decided on what stands at its key. */
export interface ConditionalWrite {
  readonly table: DynaliteTable;
  /** `createKey` of the item's key. */
  readonly keyText: string;
  readonly decide: (existing: WireItem | undefined) => Decision;
}

/**
 * Carries writes of different items out: reads what stands at their keys, lets each write's `decide` judge it, and writes
 * what they decided, all under the locks of their keys, which dynalite's own actions take too. There is one read and one
 * write of the store for all of them. A write that is invalid (DynamoDB would not take its item) is refused by itself.
 * Entries of indexes that a write leaves as they are are not written again. Rejects with what the store fails of, and
 * with what `decide` throws: nothing is written then.
 */
export async function conditionalWrites(
  store: DynaliteStore,
  writes: readonly ConditionalWrite[],
): Promise<readonly WriteOutcome[]> {
  const unlock = await lockedKeys(store, writes);
  try {
    const keys = writes.map(({ table, keyText }) => itemPrefix(table) + keyText);
    const standing = await store.db.getMany(keys);
    const operations: LevelOperation[] = [];
    const outcomes = writes.map(({ table, decide }, index): WriteOutcome => {
      const existing = standing[index];
      const decision = decide(existing);
      if (decision.kind === 'refuse') return refusal(decision, existing);
      const { item } = decision;
      const invalid = faultOf(store, table, item);
      if (invalid !== undefined) return refusal({ code: 'ValidationError', message: invalid });
      if (existing === undefined || !indexEntriesEqual(table, existing, item)) {
        operations.push(...indexOperations(table, existing, item));
      }
      operations.push({ type: 'put', key: keys[index] ?? '', value: item });
      return { kind: 'written' };
    });
    await store.db.batch(operations);
    return outcomes;
  } finally {
    unlock();
  }
}

function refusal({ code, message }: { code: string; message: string }, existing?: WireItem): WriteOutcome {
  return { kind: 'refused', code, message, ...(existing === undefined ? {} : { existing }) };
}

/**
 * Takes the locks of all keys, and resolves with what frees them. All are asked for in one turn of the event loop, so that
 * two batches never wait for each other.
 */
async function lockedKeys(store: DynaliteStore, writes: readonly ConditionalWrite[]): Promise<() => void> {
  const keysOf = new Map<string, string[]>();
  for (const { table, keyText } of writes) {
    const keys = keysOf.get(table.TableName);
    if (keys === undefined) keysOf.set(table.TableName, [keyText]);
    else keys.push(keyText);
  }
  const releases = await Promise.all(
    [...keysOf].map(
      ([name, keys]) =>
        new Promise<Release>((resolve) => {
          store.getItemDb(name).lock(keys, resolve);
        }),
    ),
  );
  return () => {
    for (const release of releases) release(() => undefined)(null);
  };
}

/*
 * dynalite keeps all tables and indexes in one database; these begin their keys there (`getSubDb`).
 */

function itemPrefix({ TableName }: DynaliteTable): string {
  return `item-${TableName}~`;
}

const INDEX_KINDS = [
  { member: 'LocalSecondaryIndexes', prefix: 'index-local' },
  { member: 'GlobalSecondaryIndexes', prefix: 'index-global' },
] as const;

function indexOperations(
  table: DynaliteTable,
  existing: WireItem | undefined,
  item: WireItem,
): readonly LevelOperation[] {
  return INDEX_KINDS.flatMap(({ member, prefix }) => {
    const { puts, deletes } = dynaliteDb.getIndexActions(table[member] ?? [], existing, item, table);
    const place = (index: string, key: string) => `${prefix}~${table.TableName}~${index}~${key}`;
    return [
      ...deletes.map(({ index, key }) => ({ type: 'del', key: place(index, key) }) as const),
      ...puts.map(({ index, key, item: value }) => ({ type: 'put', key: place(index, key), value }) as const),
    ];
  });
}

/** Resolves with a table that can be written. Rejects with dynalite's `ResourceNotFoundException`. */
export async function activeTable(store: DynaliteStore, name: string): Promise<DynaliteTable> {
  return await new Promise((resolve, reject) => {
    store.getTable(name, (error, table) => {
      if (error || table === undefined) reject(error ?? new TypeError('no table'));
      else resolve(table);
    });
  });
}

/** Why no attribute may have a value; undefined for one that it may have. A number gets the form in which DynamoDB keeps it. */
export function faultOfValue(value: WireValue): string | undefined {
  return isPlainlyValid(value) ? undefined : (validateAttributeValue(value) ?? undefined);
}

/** A number in the form in which it is kept, far from the bounds of what numbers may be. */
const PLAIN_NUMBER = /^(?:0|-?(?:[1-9]\d{0,17}|(?:0|[1-9]\d{0,17})\.\d{0,17}[1-9]))$/;

/** True for what dynalite's validation, which takes longer than all else of a write, would neither refuse nor change. */
function isPlainlyValid(value: WireValue): boolean {
  let types = 0;
  for (const type in value) {
    types += 1;
    if (types > 1 || !isPlainlyValidAs(type, value[type])) return false;
  }
  return types === 1;
}

function isPlainlyValidAs(type: string, content: unknown): boolean {
  switch (type) {
    case 'S':
    case 'B':
      return typeof content === 'string';
    case 'N':
      return typeof content === 'string' && PLAIN_NUMBER.test(content);
    case 'BOOL':
      return typeof content === 'boolean';
    case 'NULL':
      return content === true;
    case 'L':
      return Array.isArray(content) && content.every(isPlainlyValid);
    case 'M':
      return typeof content === 'object' && content !== null && Object.values(content).every(isPlainlyValid);
    default:
      return false;
  }
}

/** Why DynamoDB would not take an item whose values are valid; undefined for one that it takes. */
function faultOf(store: DynaliteStore, table: DynaliteTable, item: WireItem): string | undefined {
  const invalid = dynaliteDb.validateItem(item, table);
  if (invalid) return invalid.message;
  const { maxItemSize } = store.options;
  if (sizeBound(item) <= maxItemSize || dynaliteDb.itemSize(item) <= maxItemSize) return undefined;
  return 'Item size has exceeded the maximum allowed size';
}

/** At least the size of an item as dynalite counts it, for a small part of the time: a number takes fewer bytes than its text has characters, but for three. */
function sizeBound(item: WireItem): number {
  let bytes = 0;
  for (const name in item) {
    const { S, N, B } = item[name] ?? {};
    const text = S ?? N ?? B;
    // What is nested is counted as the text that it is in JSON, which is longer.
    bytes += name.length + (typeof text === 'string' ? text.length + 3 : JSON.stringify(item[name]).length);
  }
  return bytes;
}

/** True where every index holds the same entry for both items: keys alone are projected, and they are equal. */
function indexEntriesEqual(table: DynaliteTable, before: WireItem, after: WireItem): boolean {
  const indexes = [...(table.GlobalSecondaryIndexes ?? []), ...(table.LocalSecondaryIndexes ?? [])];
  return indexes.every(
    ({ KeySchema, Projection }) =>
      Projection.ProjectionType === 'KEYS_ONLY' &&
      KeySchema.every(({ AttributeName }) => areEqual(before[AttributeName], after[AttributeName])),
  );
}

function areEqual(left: WireValue | undefined, right: WireValue | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return dynaliteDb.compare('=', left, right);
}
