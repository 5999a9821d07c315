import { BatchGetItemCommand, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDbRequest, type Item, requireText, textValue } from '@twinstream/aws/dynamodb';
import { type DeviceId, type DeviceState, deviceId } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { fullJitterMs } from '@twinstream/stream-model';
import type { DeviceStateTable } from './device-state-table.ts';
import type { DeviceListAnswer, DeviceListQuery } from './latest-state-table.ts';
import { decodeListCursor, encodeListCursor, requireListLimit } from './list-cursor.ts';
import { indexedSiteOf, isIndexable } from './site-index.ts';
import { decodeState } from './state-item.ts';
import { BY_SITE_INDEX, BY_STATUS_INDEX } from './table-definitions.ts';

/** BatchGetItem API reference, read 2026-11: 100 items, 16 MB; what exceeds the size or is throttled comes back unprocessed. */
const BATCH_GET_ITEMS_MAX = 100;
const BATCH_GET_TRIES_MAX = 8;
const BATCH_GET_BACKOFF = { baseMs: 25, capMs: 1_000 } as const;

/** Lists read keys from an index and then the items, so that they show a device as it stands. */
export async function listDevices(
  table: DeviceStateTable,
  query: DeviceListQuery,
): Promise<DeviceListAnswer> {
  requireListLimit(query.limit);
  const after = decodeListCursor(query)?.deviceId;
  if (query.site !== undefined && !isIndexable(query.site)) return { devices: [] };
  const { states, last } =
    query.site === undefined && query.status === undefined
      ? await scanStates(table, query, after)
      : await indexedStates(table, query, after);
  // An index may be a moment behind its table.
  const devices = states.filter(
    (state) =>
      (query.site === undefined || indexedSiteOf(state) === query.site) &&
      (query.status === undefined || state.status.value === query.status),
  );
  return last === undefined ? { devices } : { devices, cursor: encodeListCursor(query, { deviceId: last }) };
}

interface StateStretch {
  readonly states: readonly DeviceState[];
  /** Where the next stretch begins; undefined at the end. */
  readonly last: DeviceId | undefined;
}

async function scanStates(
  { client, tableName }: DeviceStateTable,
  { limit, signal }: DeviceListQuery,
  after: DeviceId | undefined,
): Promise<StateStretch> {
  const { Items = [], LastEvaluatedKey } = await dynamoDbRequest(signal, (options) =>
    client.send(
      new ScanCommand({
        TableName: tableName,
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { deviceId: textValue(after) } }),
      }),
      options,
    ),
  );
  const states = Items.map(decodeState);
  return { states, last: deviceOf(LastEvaluatedKey) };
}

function deviceOf(key: Item | undefined): DeviceId | undefined {
  return key && deviceId(requireText(key, 'deviceId'));
}

async function indexedStates(
  table: DeviceStateTable,
  { site, status, limit, signal }: DeviceListQuery,
  after: DeviceId | undefined,
): Promise<StateStretch> {
  const { client, tableName } = table;
  const [index, attribute, value] =
    site === undefined ? [BY_STATUS_INDEX, 'status', status ?? ''] : [BY_SITE_INDEX, 'site', site];
  const { Items = [], LastEvaluatedKey } = await dynamoDbRequest(signal, (options) =>
    client.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: index,
        KeyConditionExpression: '#attribute = :value',
        ExpressionAttributeNames: { '#attribute': attribute },
        ExpressionAttributeValues: { ':value': textValue(value) },
        Limit: limit,
        ...(after === undefined
          ? {}
          : { ExclusiveStartKey: { [attribute]: textValue(value), deviceId: textValue(after) } }),
      }),
      options,
    ),
  );
  const ids = Items.map((item) => deviceId(requireText(item, 'deviceId')));
  const found = await readMany(table, ids, signal);
  const states = ids.map((id) => found.get(id)).filter((state) => state !== undefined);
  return { states, last: deviceOf(LastEvaluatedKey) };
}

async function readMany(
  table: DeviceStateTable,
  ids: readonly DeviceId[],
  signal: AbortSignal | undefined,
): Promise<Map<DeviceId, DeviceState>> {
  const batches: (readonly DeviceId[])[] = [];
  for (let at = 0; at < ids.length; at += BATCH_GET_ITEMS_MAX)
    batches.push(ids.slice(at, at + BATCH_GET_ITEMS_MAX));
  const states = new Map<DeviceId, DeviceState>();
  await Promise.all(
    batches.map(async (batch) => {
      for (const item of await batchGet(table, batch, signal)) {
        const state = decodeState(item);
        states.set(state.deviceId, state);
      }
    }),
  );
  return states;
}

async function batchGet(
  { client, tableName, clock, random }: DeviceStateTable,
  ids: readonly DeviceId[],
  signal: AbortSignal | undefined,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let keys: Item[] = ids.map((id) => ({ deviceId: textValue(id) }));
  for (let tries = 0; tries < BATCH_GET_TRIES_MAX; tries += 1) {
    if (tries > 0) await clock.sleep(fullJitterMs(tries - 1, BATCH_GET_BACKOFF, random), signal);
    const { Responses = {}, UnprocessedKeys = {} } = await dynamoDbRequest(signal, (options) =>
      client.send(new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: keys } } }), options),
    );
    items.push(...(Responses[tableName] ?? []));
    keys = UnprocessedKeys[tableName]?.Keys ?? [];
    if (keys.length === 0) return items;
  }
  throw new CodedError(
    'DYNAMODB_THROTTLED',
    `${keys.length} of ${ids.length} items were not read in ${BATCH_GET_TRIES_MAX} tries`,
    { retryable: true },
  );
}
