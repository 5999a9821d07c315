import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  batchedItems,
  dynamoDbRequest,
  type Item,
  type ItemClient,
  readNumber,
  requireText,
  sdkRequests,
  textValue,
} from '@twinstream/aws/dynamodb';
import { type DeviceId, type EventPage, isDeviceId, type Upcaster } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import {
  type AuditableEventStore,
  type AuditedPage,
  type AuditedSnapshot,
  type AuditOptions,
  auditPage,
  auditSnapshot,
} from './audit.ts';
import { partitionKeysOf } from './dynamodb-partition-keys.ts';
import { FETCH_ITEMS_MAX, type ItemQuery, queryItems } from './dynamodb-query.ts';
import type {
  AppendResult,
  PageKey,
  PageRange,
  PageSummary,
  Snapshot,
  SnapshotQuery,
} from './event-store.ts';
import { decodePage, decodeSummary, encodePage, SUMMARY_ATTRIBUTES, sizedPage } from './page-item.ts';
import { decodeSnapshot, encodeSnapshot, isWithoutValues } from './snapshot-item.ts';
import {
  PAGE_KEY_MAX,
  PAGE_KEY_MIN,
  pageSortKey,
  pageSortKeysBelow,
  readPageSortKey,
  readSnapshotSortKey,
  snapshotSortKeys,
  snapshotSortKeysThrough,
} from './sort-key.ts';

export interface DynamoDbEventStoreOptions {
  readonly tableName: string;
  /** How single items are read and inserted. Default: writes in batches, the SDK's way. */
  readonly items?: ItemClient;
  /** Bring events of older schema versions up when pages are read. Default: all there are. */
  readonly upcasters?: ReadonlyMap<number, Upcaster>;
}

const KEY_NAMES = ['deviceId', 'key'] as const;

interface Table extends DynamoDbEventStoreOptions {
  readonly client: DynamoDBClient;
  readonly items: ItemClient;
}

/**
 * The event store in DynamoDB. Rejects with the codes of {@link dynamoDbRequest}, with `DAMAGED_PAGE` or
 * `DAMAGED_SNAPSHOT` for items that cannot be read, and with the signal's reason when aborted. A put that fails
 * without an answer may have happened; trying it again then finds its own page in the conflict.
 */
export function dynamoDbEventStore(
  client: DynamoDBClient,
  options: DynamoDbEventStoreOptions,
): AuditableEventStore {
  const table: Table = { client, items: batchedItems(sdkRequests(client)), ...options };
  return {
    appendPage: (page, signal) => appendPage(table, page, signal),
    pages: (deviceId, range) => pagesOf(table, deviceId, range),
    pageSummaries: (deviceId, range) => summariesOf(table, deviceId, range),
    lastKeyBelow: (deviceId, arrivalMaxBefore, signal) =>
      lastKeyBelow(table, deviceId, arrivalMaxBefore, signal),
    putSnapshot: (snapshot, signal) => putSnapshot(table, snapshot, signal),
    latestSnapshot: (deviceId, query) => latestSnapshot(table, deviceId, query),
    deviceIds: (signal) => deviceIdsOf(table, signal),
    auditPages: (deviceId, auditOptions) => auditPages(table, deviceId, auditOptions),
    auditSnapshots: (deviceId, auditOptions) => auditSnapshots(table, deviceId, auditOptions),
    replacePage: (page, signal) => replacePage(table, page, signal),
    partitionKeys: (signal) => partitionKeysOf(client, table.tableName, signal),
  };
}

async function appendPage(table: Table, page: EventPage, signal?: AbortSignal): Promise<AppendResult> {
  const { items, tableName } = table;
  const { item, bytes } = sizedPage(page);
  const inserted = await items.insert({ tableName, keyNames: KEY_NAMES, item, itemBytes: bytes }, signal);
  if (inserted.outcome === 'inserted') {
    return inserted.writeUnits === undefined
      ? { outcome: 'appended' }
      : { outcome: 'appended', writeUnits: inserted.writeUnits };
  }
  const existing = inserted.existing ?? (await readPageItem(table, page, signal));
  if (existing === undefined) {
    throw new CodedError('PAGE_VANISHED', `page ${page.page} of ${page.deviceId} stood there and is gone`);
  }
  return { outcome: 'conflict', existing: decodePage(existing, table.upcasters) };
}

async function readPageItem(
  { items, tableName }: Table,
  page: EventPage,
  signal?: AbortSignal,
): Promise<Item | undefined> {
  const key = { deviceId: textValue(page.deviceId), key: textValue(pageSortKey(page)) };
  return await items.get({ tableName, key }, signal);
}

/** The condition is the body that was read: a concurrent change of the item wins. */
async function replacePage(
  table: Table,
  page: EventPage,
  signal?: AbortSignal,
): Promise<'replaced' | 'changed'> {
  const body = (await readPageItem(table, page, signal))?.body;
  if (body === undefined) return 'changed';
  try {
    await dynamoDbRequest(signal, (options) =>
      table.client.send(
        new PutItemCommand({
          TableName: table.tableName,
          Item: encodePage(page),
          ConditionExpression: '#body = :body',
          ExpressionAttributeNames: { '#body': 'body' },
          ExpressionAttributeValues: { ':body': body },
        }),
        options,
      ),
    );
    return 'replaced';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'changed';
    throw isDenied(error)
      ? new CodedError(
          'PAGE_REPLACEMENT_DENIED',
          `page ${page.page} of ${page.deviceId}: this role may not put into ${table.tableName}`,
          { cause: error },
        )
      : error;
  }
}

function isDenied(error: unknown): boolean {
  const cause = error instanceof CodedError ? error.cause : undefined;
  return cause instanceof Error && cause.name === 'AccessDeniedException';
}

async function* pagesOf(table: Table, deviceId: DeviceId, range?: PageRange): AsyncGenerator<EventPage> {
  for await (const item of queryItems(table, pageQuery(deviceId, range))) {
    yield decodePage(item, table.upcasters);
  }
}

async function* summariesOf(
  table: Table,
  deviceId: DeviceId,
  range?: PageRange,
): AsyncGenerator<PageSummary> {
  const query = { ...pageQuery(deviceId, range), attributes: SUMMARY_ATTRIBUTES };
  for await (const item of queryItems(table, query)) yield decodeSummary(item);
}

function pageQuery(deviceId: DeviceId, range: PageRange = {}): ItemQuery {
  const { from, to, order, consistent = false, eventTimeAtMost, pagesLikely, signal } = range;
  return {
    deviceId,
    from: from === undefined ? PAGE_KEY_MIN : pageSortKey(from),
    to: to === undefined ? PAGE_KEY_MAX : pageSortKey(to),
    falls: order === 'descending',
    consistent,
    ...(pagesLikely === undefined ? {} : { firstFetchItems: Math.min(pagesLikely, FETCH_ITEMS_MAX) }),
    atMost:
      eventTimeAtMost === undefined ? undefined : { attribute: 'firstEventTime', value: eventTimeAtMost },
    signal,
  };
}

async function lastKeyBelow(
  table: Table,
  deviceId: DeviceId,
  arrivalMaxBefore: number,
  signal?: AbortSignal,
): Promise<PageKey | undefined> {
  const query: ItemQuery = {
    deviceId,
    from: PAGE_KEY_MIN,
    to: pageSortKeysBelow(arrivalMaxBefore),
    falls: true,
    attributes: ['key'],
    firstFetchItems: 1,
    signal,
  };
  for await (const item of queryItems(table, query)) return readPageSortKey(requireText(item, 'key'));
  return undefined;
}

async function putSnapshot(
  table: Table,
  snapshot: Snapshot,
  signal?: AbortSignal,
): Promise<'stored' | 'exists' | 'too-large'> {
  const item = encodeSnapshot(snapshot);
  if (item === undefined) return 'too-large';
  const { items, tableName } = table;
  const { outcome } = await items.insert({ tableName, keyNames: KEY_NAMES, item }, signal);
  return outcome === 'inserted' ? 'stored' : 'exists';
}

async function latestSnapshot(
  table: Table,
  deviceId: DeviceId,
  {
    foldVersion,
    arrivalMaxAtMost,
    pageAtMost,
    eventTimeAtMost,
    valuesOmitted = false,
    consistent = false,
    signal,
  }: SnapshotQuery,
): Promise<Snapshot | undefined> {
  const query: ItemQuery = {
    deviceId,
    from: snapshotSortKeys(foldVersion),
    to: snapshotSortKeysThrough(foldVersion, arrivalMaxAtMost),
    falls: true,
    consistent,
    firstFetchItems: 1,
    signal,
  };
  for await (const item of queryItems(table, query)) {
    if (pageAtMost !== undefined && readSnapshotSortKey(requireText(item, 'key')).page > pageAtMost) continue;
    if (!valuesOmitted && isWithoutValues(item)) continue;
    // A comparison with what is not known is false.
    const eventTimeMax = readNumber(item, 'eventTimeMax') ?? Number.NaN;
    if (eventTimeAtMost !== undefined && !(eventTimeMax <= eventTimeAtMost)) continue;
    return decodeSnapshot(item);
  }
  return undefined;
}

/** What belongs to no device is left to {@link AuditableEventStore.partitionKeys}. */
async function* deviceIdsOf({ client, tableName }: Table, signal?: AbortSignal): AsyncGenerator<DeviceId> {
  for await (const key of partitionKeysOf(client, tableName, signal)) if (isDeviceId(key)) yield key;
}

async function* auditPages(
  table: Table,
  deviceId: DeviceId,
  { signal }: AuditOptions = {},
): AsyncGenerator<AuditedPage> {
  const query = pageQuery(deviceId, { consistent: true, signal });
  for await (const item of queryItems(table, query)) yield auditPage(item, table.upcasters);
}

async function* auditSnapshots(
  table: Table,
  deviceId: DeviceId,
  { foldVersion, signal }: AuditOptions & { readonly foldVersion: number },
): AsyncGenerator<AuditedSnapshot> {
  for (const keys of [{ below: PAGE_KEY_MIN }, { above: PAGE_KEY_MAX }]) {
    for await (const item of queryItems(table, { deviceId, ...keys, consistent: true, signal })) {
      const audited = auditSnapshot(item, foldVersion);
      if (audited !== undefined) yield audited;
    }
  }
}
