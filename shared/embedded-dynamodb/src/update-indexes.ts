import {
  type DynaliteStore,
  type DynaliteTable,
  dynaliteDb,
  type KeySchemaElement,
  type WireItem,
} from './dynalite-store.ts';

interface AttributeDefinition {
  readonly AttributeName: string;
  readonly AttributeType: string;
}

interface IndexCreation {
  readonly IndexName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly Projection: { readonly ProjectionType: string };
  readonly ProvisionedThroughput?: object;
}

/** The members of UpdateTable that matter here. */
export interface UpdateTableInput {
  readonly TableName?: string;
  readonly AttributeDefinitions?: readonly AttributeDefinition[];
  readonly GlobalSecondaryIndexUpdates?: readonly {
    readonly Create?: IndexCreation;
    readonly Delete?: { readonly IndexName: string };
  }[];
  readonly [member: string]: unknown;
}

/** A request that DynamoDB, or this engine, does not carry out. */
export class InvalidUpdate extends Error {}

const OWN_MEMBERS: ReadonlySet<string> = new Set([
  'TableName',
  'AttributeDefinitions',
  'GlobalSecondaryIndexUpdates',
]);

/** True for an UpdateTable that creates or deletes an index, which dynalite answers with 200 and does not do. */
export function changesIndexes(input: UpdateTableInput): boolean {
  const { GlobalSecondaryIndexUpdates: updates } = input;
  return Array.isArray(updates) && updates.some((update) => update?.Create ?? update?.Delete);
}

/**
 * Creates or deletes one global secondary index, on demand or provisioned, and resolves with the table's description. A new
 * index holds the items that the table has before the answer: it is ACTIVE immediately. Throws {@link InvalidUpdate}, or rejects
 * with dynalite's own error.
 */
export async function updateIndexes(store: DynaliteStore, input: UpdateTableInput): Promise<object> {
  const others = Object.keys(input).filter((member) => !OWN_MEMBERS.has(member));
  if (others.length > 0) {
    throw new InvalidUpdate(
      `the embedded engine changes an index by itself alone: send ${others.join(', ')} in another request`,
    );
  }
  const [update, ...more] = input.GlobalSecondaryIndexUpdates ?? [];
  if (update === undefined || more.length > 0) {
    throw new InvalidUpdate(
      'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table',
    );
  }
  const name = input.TableName ?? '';
  const { Create: creation, Delete: deletion } = update;
  if (creation !== undefined) return await create(store, name, creation, input.AttributeDefinitions ?? []);
  return await changeTable(store, name, (table) => withoutIndex(table, deletion?.IndexName ?? ''));
}

async function create(
  store: DynaliteStore,
  name: string,
  creation: IndexCreation,
  definitions: readonly AttributeDefinition[],
): Promise<object> {
  // From here on writes keep the index, too; what was there before is entered after.
  const table = await changeTable(store, name, (before) => withIndex(before, creation, definitions));
  const index = table.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === creation.IndexName);
  const indexed = {
    ...table,
    GlobalSecondaryIndexes: index === undefined ? [] : [index],
    LocalSecondaryIndexes: [],
  };
  for await (const item of store.getItemDb(name).createValueStream()) await enter(store, indexed, item);
  return table;
}

function withIndex(
  table: DynaliteTable,
  { ProvisionedThroughput, ...creation }: IndexCreation,
  definitions: readonly AttributeDefinition[],
): DynaliteTable {
  const { IndexName, KeySchema } = creation;
  const before = table.GlobalSecondaryIndexes ?? [];
  if (before.some((index) => index.IndexName === IndexName)) {
    throw new InvalidUpdate(`Attempting to create an index which already exists: ${IndexName}`);
  }
  const isOnDemand = table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST';
  if (isOnDemand === (ProvisionedThroughput !== undefined)) {
    throw new InvalidUpdate(
      isOnDemand
        ? 'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST'
        : `One or more parameter values were invalid: ProvisionedThroughput must be specified for index: ${IndexName}`,
    );
  }
  const known = new Map(
    [...(table.AttributeDefinitions ?? []), ...definitions].map((each) => [each.AttributeName, each]),
  );
  const undefinedKey = KeySchema.find(({ AttributeName }) => !known.has(AttributeName));
  if (undefinedKey !== undefined) {
    throw new InvalidUpdate(
      `One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions: ${undefinedKey.AttributeName}`,
    );
  }
  const index = {
    ...creation,
    IndexArn: `${table.TableArn}/index/${IndexName}`,
    IndexStatus: 'ACTIVE',
    IndexSizeBytes: 0,
    ItemCount: 0,
    ProvisionedThroughput: {
      ...(ProvisionedThroughput ?? { ReadCapacityUnits: 0, WriteCapacityUnits: 0 }),
      NumberOfDecreasesToday: 0,
    },
  };
  return {
    ...table,
    AttributeDefinitions: [...known.values()],
    GlobalSecondaryIndexes: [...before, index],
  };
}

function withoutIndex(table: DynaliteTable, name: string): DynaliteTable {
  const { GlobalSecondaryIndexes: before = [], ...rest } = table;
  const after = before.filter(({ IndexName }) => IndexName !== name);
  if (after.length === before.length) {
    throw new InvalidUpdate(`Requested resource not found: Index: ${name} not found`);
  }
  return after.length === 0 ? rest : { ...rest, GlobalSecondaryIndexes: after };
}

/** Reads a table's description, changes it and writes it, under the table's lock. */
async function changeTable(
  store: DynaliteStore,
  name: string,
  change: (table: DynaliteTable) => DynaliteTable,
): Promise<DynaliteTable> {
  return await new Promise((resolve, reject) => {
    store.tableDb.lock(name, (release) => {
      const done = release<DynaliteTable>((error, changed) => {
        if (error || changed === undefined) reject(error ?? new TypeError('no table'));
        else resolve(changed);
      });
      store.getTable(name, (error, table) => {
        if (error || table === undefined) return done(error ?? new TypeError('no table'));
        let changed: DynaliteTable;
        try {
          changed = change(table);
        } catch (thrown) {
          return done(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
        store.tableDb.put(name, changed, (failed) => (failed ? done(failed) : done(null, changed)));
      });
    });
  });
}

/** Enters the item that stands at this one's key now into the index; one that is gone has no entry. */
async function enter(store: DynaliteStore, indexed: DynaliteTable, item: WireItem): Promise<void> {
  const itemDb = store.getItemDb(indexed.TableName);
  const key = dynaliteDb.createKey(item, indexed);
  await new Promise<void>((resolve, reject) => {
    itemDb.lock(key, (release) => {
      const done = release<void>((error) => (error ? reject(error) : resolve()));
      itemDb.get(key, (error, current) => {
        if (error) return error.name === 'NotFoundError' ? done(null) : done(error);
        dynaliteDb.updateIndexes(store, indexed, undefined, current ?? item, (failed) => done(failed));
      });
    });
  });
}
