import { type DynamoDBClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { dynamoDbRequest, type Item, textValue } from '@twinstream/aws/dynamodb';
import type { DeviceId } from '@twinstream/device-model';

/** Items of the first fetch of a query, and the factor to the next: a reader that stops early has paid for little. */
const FIRST_FETCH_ITEMS = 16;
const FETCH_GROWTH = 4;
/** From here on a fetch ends at 1 MB (Query API reference, read 2026-11). */
export const FETCH_ITEMS_MAX = 4_096;

/** Which sort keys: from one text to another, both included; or all below, or above, a text that is not included. */
type SortKeys =
  | { readonly from: string; readonly to: string }
  | { readonly below: string }
  | { readonly above: string };

/** Items of one device with such sort keys. */
export type ItemQuery = SortKeys & ItemQueryOptions;

interface ItemQueryOptions {
  readonly deviceId: DeviceId;
  /** Highest key first. Default: false. */
  readonly falls?: boolean;
  readonly consistent?: boolean;
  /** Attributes wanted; all where absent. */
  readonly attributes?: readonly string[];
  /** Only items with a number at this attribute that is at most this. Each fetch then ends at 1 MB. */
  readonly atMost?: { readonly attribute: string; readonly value: number } | undefined;
  /** Default: {@link FIRST_FETCH_ITEMS}. */
  readonly firstFetchItems?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Items of a query, fetched as they are consumed, in growing fetches. */
export async function* queryItems(
  { client, tableName }: { readonly client: DynamoDBClient; readonly tableName: string },
  query: ItemQuery,
): AsyncGenerator<Item> {
  // DynamoDB refuses a BETWEEN whose bounds are the wrong way round.
  if ('from' in query && query.from > query.to) return;
  const input = { ...queryInput(query), TableName: tableName };
  let start: Item | undefined;
  let fetchItems = query.firstFetchItems ?? FIRST_FETCH_ITEMS;
  do {
    const { Items = [], LastEvaluatedKey } = await dynamoDbRequest(query.signal, (options) =>
      client.send(
        new QueryCommand({
          ...input,
          ...(query.atMost === undefined ? { Limit: fetchItems } : {}),
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
        options,
      ),
    );
    yield* Items;
    start = LastEvaluatedKey;
    fetchItems = Math.min(fetchItems * FETCH_GROWTH, FETCH_ITEMS_MAX);
  } while (start !== undefined);
}

function queryInput(query: ItemQuery): Omit<QueryCommandInput, 'TableName'> {
  const { deviceId, falls = false, consistent = false, attributes, atMost } = query;
  const { condition, values } = sortKeyCondition(query);
  return {
    KeyConditionExpression: `deviceId = :deviceId AND ${condition}`,
    // KEY is a reserved word ("Reserved words in DynamoDB", developer guide).
    ExpressionAttributeNames: {
      '#key': 'key',
      ...(atMost === undefined ? {} : { '#atMost': atMost.attribute }),
    },
    ExpressionAttributeValues: {
      ':deviceId': textValue(deviceId),
      ...values,
      ...(atMost === undefined ? {} : { ':atMost': { N: String(atMost.value) } }),
    },
    ...(atMost === undefined ? {} : { FilterExpression: '#atMost <= :atMost' }),
    ...(attributes === undefined
      ? {}
      : { ProjectionExpression: attributes.map((name) => (name === 'key' ? '#key' : name)).join(', ') }),
    ScanIndexForward: !falls,
    ConsistentRead: consistent,
  };
}

function sortKeyCondition(keys: SortKeys) {
  if ('below' in keys) return { condition: '#key < :bound', values: { ':bound': textValue(keys.below) } };
  if ('above' in keys) return { condition: '#key > :bound', values: { ':bound': textValue(keys.above) } };
  const values = { ':from': textValue(keys.from), ':to': textValue(keys.to) };
  return { condition: '#key BETWEEN :from AND :to', values };
}
