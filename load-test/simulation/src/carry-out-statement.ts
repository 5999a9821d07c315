import type { DynamoDbRequests, Item } from '@twinstream/aws/dynamodb';
import {
  type Condition,
  parseWriteStatement,
  type WriteStatement,
} from '@twinstream/embedded-dynamodb/partiql';
import type { ItemTable } from './item-tables.ts';

type BatchInput = Parameters<DynamoDbRequests['batchExecuteStatement']>[0];
type BatchOutput = Awaited<ReturnType<DynamoDbRequests['batchExecuteStatement']>>;
export type StatementRequest = NonNullable<BatchInput['Statements']>[number];
export type StatementResponse = NonNullable<BatchOutput['Responses']>[number];
type Value = Item[string];

/** A statement with its parameters, read as the embedded engine reads it. */
export interface BoundStatement {
  readonly table: ItemTable;
  /** Table and key. */
  readonly place: string;
  readonly statement: WriteStatement;
  readonly parameters: readonly Value[];
  readonly returnsOld: boolean;
  /** The item to insert; for an update, its key. */
  readonly item: Item;
}

const read = new Map<string, WriteStatement>();

/** Throws for a statement that the embedded engine would not serve. */
export function boundStatement(
  { Statement = '', Parameters = [], ReturnValuesOnConditionCheckFailure }: StatementRequest,
  tables: ReadonlyMap<string, ItemTable>,
): BoundStatement {
  const statement = read.get(Statement) ?? parseWriteStatement(Statement);
  read.set(Statement, statement);
  const table = tables.get(statement.tableName);
  if (table === undefined) throw new Error(`there is no table ${statement.tableName}`);
  const item =
    statement.kind === 'insert'
      ? Object.fromEntries(statement.names.map((name, index) => [name, valueAt(Parameters, index)]))
      : keyOf(statement.where, table.keyNames, Parameters);
  const key = table.keyNames.map((name) => item[name]);
  return {
    table,
    place: `${statement.tableName} ${JSON.stringify(key)}`,
    statement,
    parameters: Parameters,
    returnsOld: ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
    item,
  };
}

/** Carries one statement out, and answers as DynamoDB does: see the contract suites of the embedded engine. */
export async function carryOutStatement(bound: BoundStatement): Promise<StatementResponse> {
  const { table, statement, parameters, item, returnsOld } = bound;
  const { tableName: TableName } = statement;
  if (statement.kind === 'insert') {
    if (await table.insert(item)) return { TableName };
    return { TableName, Error: { Code: 'DuplicateItem', Message: 'Duplicate primary key exists in table' } };
  }
  const existing = await table.get(item);
  if (existing === undefined || !holds(statement.where, existing, parameters)) {
    const old = returnsOld && existing !== undefined ? { Item: existing } : {};
    const failed = {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...old,
    } as const;
    return { TableName, Error: failed };
  }
  const changed = new Map(Object.entries(existing));
  for (const name of statement.removes) changed.delete(name);
  for (const { name, parameter } of statement.sets) changed.set(name, valueAt(parameters, parameter));
  await table.replace(Object.fromEntries(changed));
  return { TableName };
}

/** The key that the outermost ANDs name. */
function keyOf(where: Condition, keyNames: readonly string[], parameters: readonly Value[]): Item {
  if (where.kind === 'and') {
    const [left, right] = where.of;
    return { ...keyOf(left, keyNames, parameters), ...keyOf(right, keyNames, parameters) };
  }
  if (where.kind !== '=' || !('parameter' in where) || !keyNames.includes(where.name)) return {};
  return { [where.name]: valueAt(parameters, where.parameter) };
}

function holds(condition: Condition, item: Item, parameters: readonly Value[]): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.of.every((part) => holds(part, item, parameters));
    case 'or':
      return condition.of.some((part) => holds(part, item, parameters));
    case 'missing':
      return item[condition.name] === undefined;
    case 'present':
      return item[condition.name] !== undefined;
    default: {
      const value = item[condition.name];
      return value !== undefined && compares(condition.kind, value, valueAt(parameters, condition.parameter));
    }
  }
}

/** Numbers with numbers, texts with texts; nothing else compares. */
function compares(sign: string, left: Value, right: Value): boolean {
  if (left.N !== undefined && right.N !== undefined) return isSo(sign, Number(left.N), Number(right.N));
  if (left.S !== undefined && right.S !== undefined) return isSo(sign, left.S, right.S);
  return false;
}

function isSo<Comparable extends number | string>(
  sign: string,
  left: Comparable,
  right: Comparable,
): boolean {
  switch (sign) {
    case '=':
      return left === right;
    case '<>':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}

function valueAt(parameters: readonly Value[], index: number): Value {
  const value = parameters[index];
  if (value === undefined) throw new Error(`parameter ${index + 1} is missing`);
  return value;
}
