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
  get(key: string, done: Callback<WireItem>): void;
  put(key: string, item: WireItem, done: Callback<void>): void;
  createValueStream(): AsyncIterable<WireItem>;
}

interface TableDb {
  lock(name: string, locked: (release: Release) => void): void;
  put(name: string, table: DynaliteTable, done: Callback<void>): void;
}

export interface DynaliteStore {
  readonly options: { readonly maxItemSize: number };
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
const { validateAttributeValue }: { validateAttributeValue(value: WireValue): string | undefined } =
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

/**
 * Reads the item at a key, lets `decide` judge it, and writes, all under the key's lock, as dynalite's own actions do.
 * Entries of indexes that the write leaves as they are are not written again. Throws {@link InvalidItem}, or rejects
 * with dynalite's own error.
 */
export async function conditionalWrite(
  store: DynaliteStore,
  table: DynaliteTable,
  key: WireItem,
  decide: (existing: WireItem | undefined) => Decision,
): Promise<WriteOutcome> {
  const itemDb = store.getItemDb(table.TableName);
  const keyText = dynaliteDb.createKey(key, table);
  return await new Promise((resolve, reject) => {
    itemDb.lock(keyText, (release) => {
      const done = release<WriteOutcome>((error, outcome) => {
        if (error || outcome === undefined) reject(error ?? new TypeError('no outcome'));
        else resolve(outcome);
      });
      itemDb.get(keyText, (error, existing) => {
        if (error && error.name !== 'NotFoundError') return done(error);
        let decision: Decision;
        try {
          decision = decide(existing ?? undefined);
          if (decision.kind === 'write') requireValid(store, table, decision.item);
        } catch (thrown) {
          return done(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
        if (decision.kind === 'refuse') {
          const { code, message } = decision;
          return done(null, { kind: 'refused', code, message, ...(existing ? { existing } : {}) });
        }
        const { item } = decision;
        const put = () =>
          itemDb.put(keyText, item, (failed) => (failed ? done(failed) : done(null, { kind: 'written' })));
        if (existing !== undefined && indexEntriesEqual(table, existing, item)) return put();
        dynaliteDb.updateIndexes(store, table, existing, item, (failed) => (failed ? done(failed) : put()));
      });
    });
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

function requireValid(store: DynaliteStore, table: DynaliteTable, item: WireItem): void {
  for (const value of Object.values(item)) {
    const invalid = validateAttributeValue(value);
    if (invalid !== undefined && invalid !== null) throw new InvalidItem(invalid);
  }
  const invalid = dynaliteDb.validateItem(item, table);
  if (invalid) throw new InvalidItem(invalid.message);
  if (dynaliteDb.itemSize(item) > store.options.maxItemSize) {
    throw new InvalidItem('Item size has exceeded the maximum allowed size');
  }
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
