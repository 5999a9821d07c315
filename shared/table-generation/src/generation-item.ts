import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  dynamoDbRequest,
  numberValue,
  requireNumber,
  requireText,
  textValue,
} from '@twinstream/aws/dynamodb';
import { CodedError } from '@twinstream/runtime';
import { CONFIGURED_GENERATION, type TableGeneration } from './table-generation.ts';

/** Key of the one item, in the table `operations`. */
const KEY = { kind: textValue('generation'), id: textValue('active') };

/**
 * The generation that was activated last; undefined where none ever was. Consistent. Rejects with the codes of
 * {@link dynamoDbRequest}.
 */
export async function readGeneration(
  client: DynamoDBClient,
  operationsTable: string,
  signal?: AbortSignal,
): Promise<TableGeneration | undefined> {
  const { Item } = await dynamoDbRequest(signal, (options) =>
    client.send(new GetItemCommand({ TableName: operationsTable, Key: KEY, ConsistentRead: true }), options),
  );
  if (Item === undefined) return undefined;
  return {
    id: requireText(Item, 'generationId'),
    eventsTable: requireText(Item, 'eventsTable'),
    deviceStateTable: requireText(Item, 'deviceStateTable'),
    activatedTime: requireNumber(Item, 'activatedTime'),
  };
}

/**
 * Puts a generation in the place of another. Throws `GENERATION_CHANGED` when another than `previousId` is in use by
 * then. An equal one that stands there already is success: the answer to an earlier try was lost.
 */
export async function activateGeneration(
  client: DynamoDBClient,
  operationsTable: string,
  generation: TableGeneration,
  previousId: string,
  signal?: AbortSignal,
): Promise<void> {
  const isFirst = previousId === CONFIGURED_GENERATION;
  try {
    await dynamoDbRequest(signal, (options) =>
      client.send(
        new PutItemCommand({
          TableName: operationsTable,
          Item: {
            ...KEY,
            generationId: textValue(generation.id),
            eventsTable: textValue(generation.eventsTable),
            deviceStateTable: textValue(generation.deviceStateTable),
            activatedTime: numberValue(generation.activatedTime),
          },
          ConditionExpression: isFirst
            ? 'attribute_not_exists(generationId) OR generationId IN (:previous, :this)'
            : 'generationId IN (:previous, :this)',
          ExpressionAttributeValues: {
            ':previous': textValue(previousId),
            ':this': textValue(generation.id),
          },
        }),
        options,
      ),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    throw new CodedError('GENERATION_CHANGED', 'other tables were put into use meanwhile', { cause: error });
  }
}
