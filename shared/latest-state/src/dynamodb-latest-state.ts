import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { DeviceId, DeviceState } from '@twinstream/device-model';
import { dynamoDbRequest, ITEM_BYTES_MAX, itemBytes, textValue } from '@twinstream/event-store/dynamodb';
import { type Clock, CodedError, systemClock } from '@twinstream/runtime';
import { listDevices } from './dynamodb-device-list.ts';
import type {
  ObservedState,
  RepairableLatestState,
  StateReadOptions,
  StateWriteResult,
} from './latest-state-table.ts';
import { decodeState, encodeState, STATE_ATTRIBUTES } from './state-item.ts';

export interface DynamoDbLatestStateOptions {
  readonly tableName: string;
  /** Asks for the write units of each write. Default: false. */
  readonly measure?: boolean;
  readonly clock?: Clock;
  /** Draws from [0, 1). Default: Math.random. */
  readonly random?: () => number;
}

/** A device-state table and how it is read. */
export interface DeviceStateTable extends Required<DynamoDbLatestStateOptions> {
  readonly client: DynamoDBClient;
}

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
      const writeUnits = await update(
        table,
        state,
        'attribute_not_exists(#page) OR #page < :page',
        {},
        signal,
      );
      return writeUnits === false ? { outcome: 'superseded' } : { outcome: 'written', ...writeUnits };
    },
    replace: async (state, observed, signal) => {
      const { condition, values } = conditionOf(observed);
      const written = await update(table, state, condition, values, signal);
      return written === false ? 'changed' : 'replaced';
    },
    list: (query) => listDevices(table, query),
  };
}

async function read(
  { client, tableName }: DeviceStateTable,
  deviceId: DeviceId,
  { consistent = true, signal }: StateReadOptions = {},
): Promise<DeviceState | undefined> {
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
  return Item === undefined ? undefined : decodeState(Item);
}

/** Aliases, because some names are reserved words: `#page` for `page`. */
const NAMES = Object.fromEntries(STATE_ATTRIBUTES.map((name) => [`#${name}`, name]));

function conditionOf(observed: ObservedState): {
  readonly condition: string | undefined;
  readonly values: Record<string, AttributeValue>;
} {
  if (observed === 'damaged') return { condition: undefined, values: {} };
  if (observed === 'none') return { condition: 'attribute_not_exists(#page)', values: {} };
  return { condition: '#page = :observed', values: { ':observed': { N: String(observed) } } };
}

/** Sets every attribute of a state where the condition holds; false where it does not. */
async function update(
  table: DeviceStateTable,
  state: DeviceState,
  condition: string | undefined,
  conditionValues: Record<string, AttributeValue>,
  signal?: AbortSignal,
): Promise<Pick<StateWriteResult, 'writeUnits'> | false> {
  const { client, tableName, measure } = table;
  const attributes = encodeState(state);
  const values: Record<string, AttributeValue> = { ...conditionValues };
  const set: string[] = [];
  const remove: string[] = [];
  for (const name of STATE_ATTRIBUTES) {
    const value = attributes[name];
    if (value === undefined) {
      remove.push(`#${name}`);
      continue;
    }
    set.push(`#${name} = :${name}`);
    values[`:${name}`] = value;
  }
  const expression = `SET ${set.join(', ')}${remove.length === 0 ? '' : ` REMOVE ${remove.join(', ')}`}`;
  try {
    const { ConsumedCapacity } = await dynamoDbRequest(signal, (options) =>
      client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { deviceId: textValue(state.deviceId) },
          UpdateExpression: expression,
          ...(condition === undefined ? {} : { ConditionExpression: condition }),
          ExpressionAttributeNames: NAMES,
          ExpressionAttributeValues: values,
          ...(measure ? { ReturnConsumedCapacity: 'TOTAL' } : {}),
        }),
        options,
      ),
    );
    const writeUnits = ConsumedCapacity?.CapacityUnits;
    return writeUnits === undefined ? {} : { writeUnits };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw tooLarge(state, attributes) ?? error;
  }
}

function tooLarge(
  { deviceId }: DeviceState,
  attributes: Record<string, AttributeValue | undefined>,
): CodedError | undefined {
  const present = Object.entries(attributes).filter((entry): entry is [string, AttributeValue] => !!entry[1]);
  const bytes = itemBytes({ deviceId: textValue(deviceId), ...Object.fromEntries(present) });
  if (bytes <= ITEM_BYTES_MAX) return undefined;
  return new CodedError(
    'STATE_TOO_LARGE',
    `the state of ${deviceId} takes ${bytes} bytes; an item holds ${ITEM_BYTES_MAX}`,
  );
}
