import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import {
  dynamoDbPages,
  dynamoDbRequest,
  ITEM_BYTES_MAX,
  type Item,
  itemBytes,
  requireText,
  textValue,
} from '@twinstream/aws/dynamodb';
import type { DeviceId, DeviceState } from '@twinstream/device-model';
import { CodedError, systemClock } from '@twinstream/runtime';
import { auditState } from './audit-state.ts';
import type { DeviceStateTable, DynamoDbLatestStateOptions } from './device-state-table.ts';
import { listDevices } from './dynamodb-device-list.ts';
import type {
  ObservedState,
  RepairableLatestState,
  StateReadOptions,
  StateWriteResult,
} from './latest-state-table.ts';
import { decodeState, stateItem } from './state-item.ts';

/**
 * The latest-state table in DynamoDB. Rejects with the codes of {@link dynamoDbRequest}, with `STATE_TOO_LARGE` for a
 * state that no item can hold, with `DAMAGED_STATE` for an item that cannot be read, and with the signal's reason when
 * aborted. Lists read keys from an index and then the items, so that they show a device as it stands.
 */
export function dynamoDbLatestStateTable(
  client: DynamoDBClient,
  options: DynamoDbLatestStateOptions,
): RepairableLatestState {
  const table: DeviceStateTable = {
    client,
    measure: false,
    clock: systemClock,
    random: Math.random,
    ...options,
  };
  return {
    read: (deviceId, readOptions) => read(table, deviceId, readOptions),
    write: async (state, signal) => {
      const writeUnits = await put(table, state, olderThan(state.page), signal);
      return writeUnits === false ? { outcome: 'superseded' } : { outcome: 'written', ...writeUnits };
    },
    replace: async (state, observed, signal) => {
      const written = await put(table, state, conditionOf(observed), signal);
      return written === false ? 'changed' : 'replaced';
    },
    list: (query) => listDevices(table, query),
    audit: async (deviceId, signal) => auditState(await readItem(table, deviceId, { signal })),
    sizeOf: (state) => ({ bytes: itemBytes(stateItem(state)), bytesMax: ITEM_BYTES_MAX }),
    partitionKeys: (signal) => partitionKeysOf(table, signal),
  };
}

async function read(
  table: DeviceStateTable,
  deviceId: DeviceId,
  options?: StateReadOptions,
): Promise<DeviceState | undefined> {
  const item = await readItem(table, deviceId, options);
  return item === undefined ? undefined : decodeState(item);
}

async function readItem(
  { client, tableName }: DeviceStateTable,
  deviceId: DeviceId,
  { consistent = true, signal }: StateReadOptions = {},
): Promise<Item | undefined> {
  const { Item } = await dynamoDbRequest(signal, (options) =>
    client.send(
      new GetItemCommand({
        TableName: tableName,
        Key: { deviceId: textValue(deviceId) },
        ConsistentRead: consistent,
      }),
      options,
    ),
  );
  return Item;
}

async function* partitionKeysOf(
  { client, tableName }: DeviceStateTable,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const input = { TableName: tableName, ProjectionExpression: 'deviceId' };
  const pages = dynamoDbPages(signal, (options) => paginateScan({ client }, input, options));
  for await (const { Items = [] } of pages) for (const item of Items) yield requireText(item, 'deviceId');
}

/** What must hold of the item that a state takes the place of. */
interface Condition {
  readonly expression: string;
  /** Value of `:page`, where the expression has it. */
  readonly page?: number;
}

const olderThan = (page: number): Condition => ({
  expression: 'attribute_not_exists(#page) OR #page < :page',
  page,
});

function conditionOf(observed: ObservedState): Condition | undefined {
  if (observed === 'damaged') return undefined;
  if (observed === 'none') return { expression: 'attribute_not_exists(#page)' };
  return { expression: '#page = :page', page: observed };
}

/** Puts a state where the condition holds; false where it does not. */
async function put(
  { client, tableName, measure }: DeviceStateTable,
  state: DeviceState,
  condition: Condition | undefined,
  signal?: AbortSignal,
): Promise<Pick<StateWriteResult, 'writeUnits'> | false> {
  const item = stateItem(state);
  try {
    const { ConsumedCapacity } = await dynamoDbRequest(signal, (options) =>
      client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: item,
          ...conditionMembers(condition),
          ...(measure ? { ReturnConsumedCapacity: 'TOTAL' } : {}),
        }),
        options,
      ),
    );
    const writeUnits = ConsumedCapacity?.CapacityUnits;
    return writeUnits === undefined ? {} : { writeUnits };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw tooLarge(state, item) ?? error;
  }
}

function conditionMembers(condition: Condition | undefined) {
  if (condition === undefined) return {};
  const { expression, page } = condition;
  return {
    ConditionExpression: expression,
    ExpressionAttributeNames: { '#page': 'page' },
    ...(page === undefined ? {} : { ExpressionAttributeValues: { ':page': { N: String(page) } } }),
  };
}

function tooLarge({ deviceId }: DeviceState, item: Record<string, AttributeValue>): CodedError | undefined {
  const bytes = itemBytes(item);
  if (bytes <= ITEM_BYTES_MAX) return undefined;
  return new CodedError(
    'STATE_TOO_LARGE',
    `the state of ${deviceId} takes ${bytes} bytes; an item holds ${ITEM_BYTES_MAX}`,
  );
}
