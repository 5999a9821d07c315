import { type AttributeValue, ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { dynamoDbRequest } from './dynamodb-request.ts';
import type { DynamoDbRequests } from './dynamodb-requests.ts';
import type { AdvanceRequest, ItemAttributes, ItemClient } from './item-client.ts';

export interface SingleItemsOptions {
  /** Asks for the write units of each write, indexes included. Default: false. */
  readonly measure?: boolean;
}

/** Update expressions that are kept: there is one for each set of attributes that items have. */
const EXPRESSIONS_MAX = 1_024;

/** An item client that sends one request for each item: GetItem, PutItem, UpdateItem. */
export function singleItems(
  requests: DynamoDbRequests,
  { measure = false }: SingleItemsOptions = {},
): ItemClient {
  const capacity = measure ? ({ ReturnConsumedCapacity: 'TOTAL' } as const) : {};
  const expressions = new Map<string, UpdateExpression>();

  function expressionOf(attributes: ItemAttributes): UpdateExpression {
    const names = Object.keys(attributes);
    const signature = names.map((name) => (attributes[name] === undefined ? `-${name}` : name)).join(' ');
    const known = expressions.get(signature);
    if (known !== undefined) return known;
    const expression = updateExpression(attributes);
    if (expressions.size < EXPRESSIONS_MAX) expressions.set(signature, expression);
    return expression;
  }

  return {
    async get({ tableName, key, consistent = true }, signal) {
      const { Item } = await dynamoDbRequest(signal, (options) =>
        requests.getItem({ TableName: tableName, Key: key, ConsistentRead: consistent }, options),
      );
      return Item;
    },
    async insert({ tableName, keyNames, item }, signal) {
      try {
        const { ConsumedCapacity } = await dynamoDbRequest(signal, (options) =>
          requests.putItem(
            {
              TableName: tableName,
              Item: item,
              ConditionExpression: 'attribute_not_exists(#key)',
              ExpressionAttributeNames: { '#key': keyNames[0] },
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
              ...capacity,
            },
            options,
          ),
        );
        return { outcome: 'inserted', ...unitsOf(ConsumedCapacity) };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return error.Item === undefined ? { outcome: 'exists' } : { outcome: 'exists', existing: error.Item };
      }
    },
    async advance(request, signal) {
      const { tableName, key, attributes } = request;
      const { text, names } = expressionOf(attributes);
      try {
        const { ConsumedCapacity } = await dynamoDbRequest(signal, (options) =>
          requests.updateItem(
            {
              TableName: tableName,
              Key: key,
              UpdateExpression: text,
              ConditionExpression: 'attribute_not_exists(#rising) OR #rising < :rising',
              ExpressionAttributeNames: { ...names, '#rising': request.risingAttribute },
              ExpressionAttributeValues: expressionValues(request),
              ...capacity,
            },
            options,
          ),
        );
        return { outcome: 'advanced', ...unitsOf(ConsumedCapacity) };
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return { outcome: 'not-below' };
        throw error;
      }
    },
  };
}

interface UpdateExpression {
  readonly text: string;
  readonly names: Readonly<Record<string, string>>;
}

/** Placeholders are `#0`, `:0` and so on, by the attribute's place. */
function updateExpression(attributes: ItemAttributes): UpdateExpression {
  const names = Object.keys(attributes);
  const places = names.map((name, place) => ({ place, isSet: attributes[name] !== undefined }));
  const sets = places.filter(({ isSet }) => isSet).map(({ place }) => `#${place} = :${place}`);
  const removes = places.filter(({ isSet }) => !isSet).map(({ place }) => `#${place}`);
  const parts = [
    ...(sets.length === 0 ? [] : [`SET ${sets.join(', ')}`]),
    ...(removes.length === 0 ? [] : [`REMOVE ${removes.join(', ')}`]),
  ];
  return {
    text: parts.join(' '),
    names: Object.fromEntries(names.map((name, place) => [`#${place}`, name])),
  };
}

function expressionValues({ attributes, risingAttribute }: AdvanceRequest): Record<string, AttributeValue> {
  const values: Record<string, AttributeValue> = {};
  for (const [place, value] of Object.values(attributes).entries()) {
    if (value !== undefined) values[`:${place}`] = value;
  }
  const rising = attributes[risingAttribute];
  if (rising === undefined) throw new TypeError(`${risingAttribute} is not among the attributes`);
  values[':rising'] = rising;
  return values;
}

function unitsOf(capacity: { readonly CapacityUnits?: number | undefined } | undefined) {
  return capacity?.CapacityUnits === undefined ? {} : { writeUnits: capacity.CapacityUnits };
}
