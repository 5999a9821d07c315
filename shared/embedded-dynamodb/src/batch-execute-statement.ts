import {
  activeTable,
  type ConditionalWrite,
  conditionalWrites,
  type Decision,
  type DynaliteError,
  type DynaliteStore,
  type DynaliteTable,
  dynaliteDb,
  faultOfValue,
  InvalidItem,
  type WireItem,
  type WireValue,
  type WriteOutcome,
} from './dynalite-store.ts';
import {
  type Condition,
  type InsertStatement,
  parseWriteStatement,
  UnsupportedStatement,
  type UpdateStatement,
  type WriteStatement,
} from './partiql/write-statement.ts';

/** "BatchExecuteStatement", DynamoDB API reference, read 2026-11. */
export const BATCH_STATEMENTS_MAX = 25;
/** Texts of statements that are kept parsed. Stores send a handful. */
const PARSED_STATEMENTS_MAX = 256;

const DUPLICATE_ITEM = 'Duplicate primary key exists in table';
const CONDITION_FAILED = 'The conditional request failed';
const KEYS_REPEAT = 'Provided list of item keys contains duplicates';

export interface BatchStatement {
  readonly Statement: string;
  readonly Parameters?: readonly WireValue[];
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE';
}

/** Outcome of one statement, as DynamoDB answers it. */
export interface StatementResponse {
  readonly TableName?: string;
  readonly Error?: { readonly Code: string; readonly Message: string; readonly Item?: WireItem };
}

/** A batch that is refused as a whole (`ValidationException`). */
export class InvalidBatch extends Error {}

export interface BatchExecutor {
  /** Carries a batch of writes out, each statement by itself. Throws {@link InvalidBatch}. */
  execute(statements: readonly BatchStatement[]): Promise<StatementResponse[]>;
}

interface PreparedWrite extends ConditionalWrite {
  readonly returnsOld: boolean;
}

/** Serves `BatchExecuteStatement` on dynalite's store, for the writes that {@link parseWriteStatement} reads. */
export function batchExecutor(store: DynaliteStore): BatchExecutor {
  const parsed = new Map<string, WriteStatement>();

  function statementOf(text: string): WriteStatement {
    const known = parsed.get(text);
    if (known !== undefined) return known;
    const statement = parseWriteStatement(text);
    if (parsed.size < PARSED_STATEMENTS_MAX) parsed.set(text, statement);
    return statement;
  }

  /** The tables of a batch, each read once. */
  function tablesOf(): (name: string) => Promise<DynaliteTable> {
    const tables = new Map<string, Promise<DynaliteTable>>();
    return (name) => {
      const table = tables.get(name) ?? activeTable(store, name);
      tables.set(name, table);
      return table;
    };
  }

  async function prepare(
    request: BatchStatement,
    tableOf: (name: string) => Promise<DynaliteTable>,
  ): Promise<PreparedWrite | StatementResponse> {
    const { Statement, Parameters = [], ReturnValuesOnConditionCheckFailure } = request;
    const returnsOld = ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
    let tableName: string | undefined;
    try {
      const statement = statementOf(Statement);
      tableName = statement.tableName;
      const table = await tableOf(tableName);
      return statement.kind === 'insert'
        ? insertOf(statement, table, Parameters)
        : updateOf(statement, table, Parameters, returnsOld);
    } catch (error) {
      return errorResponse(error, tableName);
    }
  }

  return {
    async execute(statements) {
      if (statements.length === 0) throw new InvalidBatch('a batch has at least one statement');
      if (statements.length > BATCH_STATEMENTS_MAX) {
        throw new InvalidBatch(`a batch has at most ${BATCH_STATEMENTS_MAX} statements`);
      }
      requireValidParameters(statements);
      const tableOf = tablesOf();
      const prepared = await Promise.all(statements.map((statement) => prepare(statement, tableOf)));
      const writes = prepared.filter((write) => 'decide' in write);
      requireDistinctKeys(writes);
      const outcomes = (await conditionalWrites(store, writes)).values();
      return prepared.map((write) => ('decide' in write ? responseOf(write, outcomes.next().value) : write));
    },
  };
}

function responseOf(
  { table: { TableName }, returnsOld }: PreparedWrite,
  outcome: WriteOutcome | undefined,
): StatementResponse {
  if (outcome === undefined) throw new TypeError('a write has no outcome');
  if (outcome.kind === 'written') return { TableName };
  const { code, message, existing } = outcome;
  const item = returnsOld && existing !== undefined ? { Item: existing } : {};
  return { TableName, Error: { Code: code, Message: message, ...item } };
}

/** A value that no attribute may have fails the batch, as in DynamoDB Local 3.3.1. */
function requireValidParameters(statements: readonly BatchStatement[]): void {
  for (const { Parameters = [] } of statements) {
    for (const value of Parameters) {
      const fault = faultOfValue(value);
      if (fault !== undefined) throw new InvalidBatch(fault);
    }
  }
}

function requireDistinctKeys(writes: readonly PreparedWrite[]): void {
  const seen = new Set<string>();
  for (const { table, keyText } of writes) {
    const place = `${table.TableName} ${keyText}`;
    if (seen.has(place)) throw new InvalidBatch(KEYS_REPEAT);
    seen.add(place);
  }
}

function insertOf(
  { names }: InsertStatement,
  table: DynaliteTable,
  parameters: readonly WireValue[],
): PreparedWrite {
  requireCount(names.length, parameters);
  const item: WireItem = Object.fromEntries(
    names.map((name, index) => [name, parameterAt(parameters, index)]),
  );
  const invalid = dynaliteDb.validateItem(item, table);
  if (invalid) throw invalid;
  return {
    table,
    keyText: dynaliteDb.createKey(item, table),
    // DynamoDB names the item with a failed condition, and not with a duplicate (DynamoDB Local 3.3.1).
    returnsOld: false,
    decide: (existing) =>
      existing === undefined
        ? { kind: 'write', item }
        : { kind: 'refuse', code: 'DuplicateItem', message: DUPLICATE_ITEM },
  };
}

function updateOf(
  { sets, removes, where }: UpdateStatement,
  table: DynaliteTable,
  parameters: readonly WireValue[],
  returnsOld: boolean,
): PreparedWrite {
  requireCount(sets.length + parametersOf(where), parameters);
  const keyNames = table.KeySchema.map(({ AttributeName }) => AttributeName);
  const key = keyOf(where, keyNames, parameters);
  const invalid = dynaliteDb.validateKey(key, table);
  if (invalid) throw invalid;
  const changed = [...sets.map(({ name }) => name), ...removes].find((name) => keyNames.includes(name));
  if (changed !== undefined)
    throw new InvalidItem(`Cannot update attribute ${changed}. This attribute is part of the key`);
  const set = sets.map(({ name, parameter }): [string, WireValue] => [
    name,
    parameterAt(parameters, parameter),
  ]);
  const decide = (existing: WireItem | undefined): Decision => {
    if (existing === undefined || !holds(where, existing, parameters)) {
      return { kind: 'refuse', code: 'ConditionalCheckFailed', message: CONDITION_FAILED };
    }
    // Unlike an assignment, a spread and `fromEntries` make a member of every name the object's own.
    const item: WireItem = { ...existing, ...Object.fromEntries(set) };
    for (const name of removes) if (Object.hasOwn(item, name)) delete item[name];
    return { kind: 'write', item };
  };
  return { table, keyText: dynaliteDb.createKey(key, table), returnsOld, decide };
}

/** The key that the outermost ANDs name. */
function keyOf(where: Condition, keyNames: readonly string[], parameters: readonly WireValue[]): WireItem {
  const key: WireItem = {};
  const visit = (condition: Condition): void => {
    if (condition.kind === 'and') {
      for (const part of condition.of) visit(part);
    } else if (condition.kind === '=' && keyNames.includes(condition.name)) {
      key[condition.name] = parameterAt(parameters, condition.parameter);
    }
  };
  visit(where);
  if (keyNames.some((name) => key[name] === undefined)) {
    throw new InvalidItem('Where clause does not contain a mandatory equality on all key attributes');
  }
  return key;
}

function holds(condition: Condition, item: WireItem, parameters: readonly WireValue[]): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.of.every((part) => holds(part, item, parameters));
    case 'or':
      return condition.of.some((part) => holds(part, item, parameters));
    case 'missing':
      return item[condition.name] === undefined;
    case 'present':
      return item[condition.name] !== undefined;
    default:
      return dynaliteDb.compare(
        condition.kind,
        item[condition.name],
        parameterAt(parameters, condition.parameter),
      );
  }
}

function parametersOf(condition: Condition): number {
  if (condition.kind === 'and' || condition.kind === 'or') {
    return condition.of.reduce((sum, part) => sum + parametersOf(part), 0);
  }
  return 'parameter' in condition ? 1 : 0;
}

function requireCount(count: number, parameters: readonly WireValue[]): void {
  if (parameters.length !== count) {
    throw new InvalidItem(
      `Number of parameters in request and statement don't match: ${count} in the statement, ${parameters.length} in the request`,
    );
  }
}

function parameterAt(parameters: readonly WireValue[], index: number): WireValue {
  const value = parameters[index];
  if (value === undefined) throw new InvalidItem(`parameter ${index + 1} is missing`);
  return value;
}

/** What one statement answers that failed. An error that is none of DynamoDB's is thrown on. */
function errorResponse(error: unknown, tableName: string | undefined): StatementResponse {
  const TableName = tableName === undefined ? {} : { TableName: tableName };
  if (error instanceof UnsupportedStatement) {
    const Message = `The local engine serves INSERT and UPDATE with parameters alone: ${error.message}`;
    return { ...TableName, Error: { Code: 'ValidationError', Message } };
  }
  if (error instanceof InvalidItem) {
    return { ...TableName, Error: { Code: 'ValidationError', Message: error.message } };
  }
  const { body } = error as DynaliteError;
  if (body === undefined) throw error;
  const Code = body.__type.endsWith('#ResourceNotFoundException') ? 'ResourceNotFound' : 'ValidationError';
  return { Error: { Code, Message: body.message ?? (error as Error).message } };
}
