import { type BatchExecuteStatementCommandOutput, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { type Clock, CodedError, type Logger } from '@twinstream/runtime';
import { dynamoDbRequest } from './dynamodb-request.ts';
import type { DynamoDbRequests } from './dynamodb-requests.ts';
import type {
  AdvanceRequest,
  AdvanceResult,
  InsertRequest,
  InsertResult,
  ItemClient,
} from './item-client.ts';
import { type Item, writeUnits } from './item-size.ts';
import {
  type CallAnswer,
  createRequestBatcher,
  type RequestBatcher,
  type Schedule,
} from './request-batcher.ts';
import { singleItems } from './single-items.ts';
import { publishedWrites } from './write-diagnostics.ts';
import { createStatementWriter, keyOf, placeOf, type WriteStatement } from './write-statements.ts';

export interface BatchedItemsOptions {
  /** Tells the write units of each write: see {@link batchedItems}. Default: false. */
  readonly measure?: boolean;
  /** Is told once where the endpoint has no `BatchExecuteStatement`. */
  readonly logger?: Pick<Logger, 'warn'>;
  readonly clock?: Pick<Clock, 'sleep'>;
  /** Draws from [0, 1). */
  readonly random?: () => number;
  /** Times the gathering of reads and writes: see the request batcher's. Default: the event loop and its timers. */
  readonly schedule?: Schedule;
}

type Outcome =
  | { readonly kind: 'written'; readonly writeUnits: number }
  /** The key is taken, or the condition does not hold; `existing` where the engine returned what stands there. */
  | { readonly kind: 'refused'; readonly existing?: Item };

/** Error codes of a statement ("BatchStatementError", DynamoDB API reference, read 2026-11); any other is a refusal. */
const THROTTLES: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'ThrottlingError',
]);
const FAILURES: ReadonlySet<string> = new Set(['InternalServerError', 'TransactionConflict']);
/** BatchGetItem API reference, read 2026-11: 100 items, 16 MB; what exceeds the size or is throttled comes back unprocessed. */
const READS_MAX = 100;
/** Of a key in a request; what is read counts for nothing here. */
const READ_BYTES = 256;
const UNKNOWN_OPERATION = 'UnknownOperationException';
/** Statements for one advance: it changes what is there, or creates what is not, and others may do either meanwhile. */
const ADVANCE_STATEMENTS_MAX = 6;

/**
 * An item client whose writes share requests, up to 25 statements of `BatchExecuteStatement`, and whose reads do, up to 100
 * keys of `BatchGetItem`, gathered without a wait that a lone one would notice. Statements that are throttled or fail in the service are sent again by themselves. A request
 * that is refused whole is sent again statement by statement, so that each learns its own outcome.
 *
 * Where the endpoint does not know the operation, all goes on with {@link singleItems}, by what the logger is told.
 *
 * With `measure`, a write's units are those of its item's size, and its share of what the answer says was consumed of its
 * table, indexes included, where it says so (DynamoDB Local does not). Writes are published on the diagnostics channel of writes.
 */
export function batchedItems(requests: DynamoDbRequests, options: BatchedItemsOptions = {}): ItemClient {
  const { measure = false, logger } = options;
  const single = singleItems(requests, { measure });
  const statements = createStatementWriter();
  let isBatchUnknown = false;

  const waits = {
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.random === undefined ? {} : { random: options.random }),
    ...(options.schedule === undefined ? {} : { schedule: options.schedule }),
  };

  const writer = createRequestBatcher<WriteStatement, Outcome>({
    send: (writes, signal) =>
      eachIfRefused(writes, signal, (some) => writeTogether(requests, some, measure, signal)),
    itemOf: ({ place }) => place,
    bytesOf: ({ itemBytes, text }) => itemBytes + text.length,
    ...waits,
  });

  const readers = { true: readerOf(true), false: readerOf(false) };
  function readerOf(consistent: boolean): RequestBatcher<ItemRead, Item | undefined> {
    return createRequestBatcher<ItemRead, Item | undefined>({
      send: (reads, signal) =>
        eachIfRefused(reads, signal, (some) => readTogether(requests, some, consistent, signal)),
      itemOf: ({ place }) => place,
      bytesOf: () => READ_BYTES,
      limits: { callsMax: READS_MAX },
      ...waits,
    });
  }

  /** Notes that the endpoint has no batches. Throws any other error. */
  function requireUnknownOperation(error: unknown): void {
    if (!isUnknownOperation(error)) throw error;
    if (!isBatchUnknown) {
      logger?.warn(
        { code: 'BATCH_WRITES_UNKNOWN', error },
        'endpoint without BatchExecuteStatement: one request for each write',
      );
    }
    isBatchUnknown = true;
  }

  const unitsOf = (outcome: { readonly writeUnits: number }) =>
    measure ? { writeUnits: outcome.writeUnits } : {};

  async function insert(request: InsertRequest, signal?: AbortSignal): Promise<InsertResult> {
    const outcome = await writer.call(statements.insert(request), signal);
    if (outcome.kind === 'written') return { outcome: 'inserted', ...unitsOf(outcome) };
    const { existing } = outcome;
    return existing === undefined ? { outcome: 'exists' } : { outcome: 'exists', existing };
  }

  async function advance(request: AdvanceRequest, signal?: AbortSignal): Promise<AdvanceResult> {
    const { tableName, key, risingAttribute } = request;
    let next: 'create' | 'below' | 'missing' = request.isFirst ? 'create' : 'below';
    for (let sent = 0; sent < ADVANCE_STATEMENTS_MAX; sent += 1) {
      const statement = next === 'create' ? statements.create(request) : statements.update(request, next);
      const outcome = await writer.call(statement, signal);
      if (outcome.kind === 'written') return { outcome: 'advanced', ...unitsOf(outcome) };
      const { existing } = outcome;
      if (next === 'create') next = 'below';
      else if (existing === undefined) next = 'create';
      else if (existing[risingAttribute] === undefined) next = 'missing';
      else if (next === 'missing') next = 'below';
      else return { outcome: 'not-below' };
    }
    // It was there for each INSERT, and no UPDATE returned it.
    const item = await single.get({ tableName, key }, signal);
    if (item?.[risingAttribute] !== undefined) return { outcome: 'not-below' };
    throw new CodedError('DYNAMODB_UNAVAILABLE', `an item of ${tableName} comes and goes`, {
      retryable: true,
    });
  }

  return publishedWrites({
    get: ({ tableName, key, consistent = true }, signal) => {
      const read = { tableName, key, place: placeOf(tableName, key) };
      return readers[consistent ? 'true' : 'false'].call(read, signal);
    },
    async insert(request, signal) {
      if (isBatchUnknown) return await single.insert(request, signal);
      try {
        return await insert(request, signal);
      } catch (error) {
        requireUnknownOperation(error);
        return await single.insert(request, signal);
      }
    },
    async advance(request, signal) {
      if (isBatchUnknown) return await single.advance(request, signal);
      try {
        return await advance(request, signal);
      } catch (error) {
        requireUnknownOperation(error);
        return await single.advance(request, signal);
      }
    },
  });
}

interface ItemRead {
  readonly tableName: string;
  readonly key: Item;
  readonly place: string;
}

/** Reads up to {@link READS_MAX} items with one request; a single one by GetItem. */
async function readTogether(
  requests: DynamoDbRequests,
  reads: readonly ItemRead[],
  consistent: boolean,
  signal: AbortSignal,
): Promise<readonly CallAnswer<Item | undefined>[]> {
  const [first] = reads;
  if (reads.length === 1 && first !== undefined) {
    const item = await singleItems(requests).get({ ...first, consistent }, signal);
    return [{ kind: 'decided', outcome: item }];
  }
  const RequestItems: Record<string, { Keys: Item[]; ConsistentRead: boolean }> = {};
  for (const { tableName, key } of reads) {
    const ofTable = RequestItems[tableName] ?? { Keys: [], ConsistentRead: consistent };
    RequestItems[tableName] = ofTable;
    ofTable.Keys.push(key);
  }
  const { Responses = {}, UnprocessedKeys = {} } = await dynamoDbRequest(signal, (options) =>
    requests.batchGetItem({ RequestItems }, options),
  );
  const found = new Map<string, Item>();
  const left = new Set<string>();
  const keyNamesOf = new Map(reads.map(({ tableName, key }) => [tableName, Object.keys(key)]));
  const placeIn = (tableName: string, item: Item) =>
    placeOf(tableName, keyOf(item, keyNamesOf.get(tableName) ?? []));
  for (const [tableName, items] of Object.entries(Responses)) {
    for (const item of items) found.set(placeIn(tableName, item), item);
  }
  for (const [tableName, { Keys = [] }] of Object.entries(UnprocessedKeys)) {
    for (const key of Keys) left.add(placeIn(tableName, key));
  }
  return reads.map(({ tableName, place }): CallAnswer<Item | undefined> => {
    if (!left.has(place)) return { kind: 'decided', outcome: found.get(place) };
    const message = `an item of ${tableName} came back unprocessed`;
    return { kind: 'try-again', error: new CodedError('DYNAMODB_THROTTLED', message, { retryable: true }) };
  });
}

/** Carries writes out with one request. */
async function writeTogether(
  requests: DynamoDbRequests,
  writes: readonly WriteStatement[],
  measure: boolean,
  signal: AbortSignal,
): Promise<readonly CallAnswer<Outcome>[]> {
  const answer = await dynamoDbRequest(signal, (options) =>
    requests.batchExecuteStatement(
      {
        Statements: writes.map(({ text, parameters, returnsExisting }) => ({
          Statement: text,
          Parameters: parameters,
          ...(returnsExisting ? { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } : {}),
        })),
        ...(measure ? { ReturnConsumedCapacity: 'TOTAL' } : {}),
      },
      options,
    ),
  );
  return answersOf(writes, answer);
}

/** Sends calls together, and one by one where they are refused together: one that is at fault is no other's failure. */
async function eachIfRefused<Call, Outcome>(
  calls: readonly Call[],
  signal: AbortSignal,
  send: (calls: readonly Call[]) => Promise<readonly CallAnswer<Outcome>[]>,
): Promise<readonly CallAnswer<Outcome>[]> {
  try {
    return await send(calls);
  } catch (error) {
    const isRefused = error instanceof CodedError && error.code === 'DYNAMODB_REFUSED';
    if (!isRefused || calls.length === 1 || isUnknownOperation(error)) throw error;
    const alone = calls.map(async (call): Promise<readonly CallAnswer<Outcome>[]> => {
      try {
        return await send([call]);
      } catch (own) {
        signal.throwIfAborted();
        if (own instanceof CodedError) return [{ kind: 'refused', error: own }];
        throw own;
      }
    });
    return (await Promise.all(alone)).flat();
  }
}

/** One answer for each write; fewer where the service sent fewer, which the batcher refuses. */
function answersOf(
  writes: readonly WriteStatement[],
  { Responses = [], ConsumedCapacity = [] }: BatchExecuteStatementCommandOutput,
): CallAnswer<Outcome>[] {
  const reckoned = writes.map(({ itemBytes }) => writeUnits(itemBytes));
  const factors = new Map<string, number>();
  for (const { TableName = '', CapacityUnits } of ConsumedCapacity) {
    const sum = writes.reduce(
      (units, { tableName }, index) => units + (tableName === TableName ? (reckoned[index] ?? 0) : 0),
      0,
    );
    if (CapacityUnits !== undefined && sum > 0) factors.set(TableName, CapacityUnits / sum);
  }
  return Responses.map(({ Error: error }, index): CallAnswer<Outcome> => {
    const tableName = writes[index]?.tableName ?? '';
    if (error === undefined) {
      const units = (reckoned[index] ?? 0) * (factors.get(tableName) ?? 1);
      return { kind: 'decided', outcome: { kind: 'written', writeUnits: units } };
    }
    const { Code: code = 'unknown', Message: message = 'no message', Item: existing } = error;
    if (code === 'DuplicateItem' || code === 'ConditionalCheckFailed') {
      const refused = { kind: 'refused', ...(existing === undefined ? {} : { existing }) } as const;
      return { kind: 'decided', outcome: refused };
    }
    return failureOf(code, `${code}: ${message}`);
  });
}

function failureOf(code: string, message: string): CallAnswer<Outcome> {
  if (THROTTLES.has(code)) {
    return { kind: 'try-again', error: new CodedError('DYNAMODB_THROTTLED', message, { retryable: true }) };
  }
  if (FAILURES.has(code)) {
    return { kind: 'try-again', error: new CodedError('DYNAMODB_UNAVAILABLE', message, { retryable: true }) };
  }
  return { kind: 'refused', error: new CodedError('DYNAMODB_REFUSED', message) };
}

function isUnknownOperation(error: unknown): boolean {
  return (
    error instanceof CodedError &&
    error.cause instanceof DynamoDBServiceException &&
    error.cause.name === UNKNOWN_OPERATION
  );
}
