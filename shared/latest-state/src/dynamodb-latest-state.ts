import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import {
  batchedItems,
  dynamoDbPages,
  dynamoDbRequest,
  ITEM_BYTES_MAX,
  type Item,
  itemBytes,
  numberValue,
  requireText,
  sdkRequests,
  textValue,
} from '@twinstream/aws/dynamodb';
import type { DeviceId, DeviceState } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { auditState } from './audit-state.ts';
import type { DeviceStateTable, DynamoDbLatestStateOptions } from './device-state-table.ts';
import { listDevices } from './dynamodb-device-list.ts';
import type {
  ObservedState,
  RepairableLatestState,
  StateReadOptions,
  StateWriteResult,
} from './latest-state-table.ts';
import { decodeState, encodeState, stateItem } from './state-item.ts';

/**
 * The latest-state table in DynamoDB. Rejects with the codes of {@link dynamoDbRequest}, with `STATE_TOO_LARGE` for a
 * state that no item can hold, with `DAMAGED_STATE` for an item that cannot be read, and with the signal's reason when
 * aborted.
 */
export function dynamoDbLatestStateTable(
  client: DynamoDBClient,
  options: DynamoDbLatestStateOptions,
): RepairableLatestState {
  const table: DeviceStateTable = {
    client,
    items: batchedItems(sdkRequests(client)),
    ...options,
  };
  return {
    read: (deviceId, readOptions) => read(table, deviceId, readOptions),
    write: (state, signal) => write(table, state, signal),
    replace: (state, observed, signal) => replace(table, state, observed, signal),
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
  { items, tableName }: DeviceStateTable,
  deviceId: DeviceId,
  { consistent = true, signal }: StateReadOptions = {},
): Promise<Item | undefined> {
  return await items.get({ tableName, key: { deviceId: textValue(deviceId) }, consistent }, signal);
}

async function* partitionKeysOf(
  { client, tableName }: DeviceStateTable,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const input = { TableName: tableName, ProjectionExpression: 'deviceId' };
  const pages = dynamoDbPages(signal, (options) => paginateScan({ client }, input, options));
  for await (const { Items = [] } of pages) for (const item of Items) yield requireText(item, 'deviceId');
}

/** Sets the state's own attributes and removes those of its own that it has not; what others added to the item stays. */
async function write(
  { items, tableName }: DeviceStateTable,
  state: DeviceState,
  signal?: AbortSignal,
): Promise<StateWriteResult> {
  const { deviceId, page } = state;
  const attributes = encodeState(state);
  const key = { deviceId: textValue(deviceId) };
  try {
    const result = await items.advance(
      { tableName, key, attributes, risingAttribute: 'page', isFirst: page === 1 },
      signal,
    );
    if (result.outcome === 'not-below') return { outcome: 'superseded' };
    const { writeUnits } = result;
    return writeUnits === undefined ? { outcome: 'written' } : { outcome: 'written', writeUnits };
  } catch (error) {
    throw tooLarge(state) ?? error;
  }
}

/** Puts the whole item in the place of what was observed: what is none of the state's goes. */
async function replace(
  { client, tableName }: DeviceStateTable,
  state: DeviceState,
  observed: ObservedState,
  signal?: AbortSignal,
): Promise<'replaced' | 'changed'> {
  try {
    await dynamoDbRequest(signal, (options) =>
      client.send(
        new PutItemCommand({ TableName: tableName, Item: stateItem(state), ...conditionOf(observed) }),
        options,
      ),
    );
    return 'replaced';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'changed';
    throw tooLarge(state) ?? error;
  }
}

function conditionOf(observed: ObservedState) {
  if (observed === 'damaged') return {};
  const names = { ExpressionAttributeNames: { '#page': 'page' } };
  if (observed === 'none') return { ConditionExpression: 'attribute_not_exists(#page)', ...names };
  const values = { ExpressionAttributeValues: { ':page': numberValue(observed) } };
  return { ConditionExpression: '#page = :page', ...names, ...values };
}

function tooLarge(state: DeviceState): CodedError | undefined {
  const bytes = itemBytes(stateItem(state));
  if (bytes <= ITEM_BYTES_MAX) return undefined;
  return new CodedError(
    'STATE_TOO_LARGE',
    `the state of ${state.deviceId} takes ${bytes} bytes; an item holds ${ITEM_BYTES_MAX}`,
  );
}
