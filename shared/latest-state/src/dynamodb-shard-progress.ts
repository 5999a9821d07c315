import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import {
  type DynamoDbRequests,
  dynamoDbPages,
  dynamoDbRequest,
  type Item,
  numberValue,
  requireNumber,
  requireText,
  sdkRequests,
  textValue,
} from '@twinstream/aws/dynamodb';
import { CodedError } from '@twinstream/runtime';
import { fromSortableSequenceNumber, shardId, sortableSequenceNumber } from '@twinstream/stream-model';
import type { AdvanceResult, ShardProgress, ShardProgressTable } from './shard-progress-table.ts';

export interface DynamoDbShardProgressOptions {
  readonly tableName: string;
  /** How progress is advanced. Default: the SDK's way. */
  readonly requests?: Pick<DynamoDbRequests, 'updateItem'>;
}

interface Table extends Required<DynamoDbShardProgressOptions> {
  readonly client: DynamoDBClient;
}

/**
 * Shard progress in DynamoDB. Sequence numbers are longer than its numbers, and are kept as text whose order is theirs.
 * Rejects with the codes of {@link dynamoDbRequest}, with `DAMAGED_PROGRESS` for an item that cannot be read, and with
 * the signal's reason when aborted.
 */
export function dynamoDbShardProgressTable(
  client: DynamoDBClient,
  options: DynamoDbShardProgressOptions,
): ShardProgressTable {
  const table: Table = { client, requests: sdkRequests(client), ...options };
  return {
    advance: (streamName, progress, signal) => advance(table, streamName, progress, signal),
    read: (streamName, signal) => read(table, streamName, signal),
  };
}

async function advance(
  { requests, tableName }: Table,
  streamName: string,
  { shardId, finishedThrough, arrivalTime, updatedTime, parents }: ShardProgress,
  signal?: AbortSignal,
): Promise<AdvanceResult> {
  const values: Record<string, AttributeValue> = {
    ':finishedThrough': textValue(sortableSequenceNumber(finishedThrough)),
    ':arrivalTime': numberValue(arrivalTime),
    ':updatedTime': numberValue(updatedTime),
    ...(parents === undefined ? {} : { ':parents': { L: parents.map(textValue) } }),
  };
  try {
    const { Attributes } = await dynamoDbRequest(signal, (options) =>
      requests.updateItem(
        {
          TableName: tableName,
          Key: { streamName: textValue(streamName), shardId: textValue(shardId) },
          UpdateExpression: `SET ${Object.keys(values)
            .map((value) => `${value.slice(1)} = ${value}`)
            .join(', ')}`,
          ConditionExpression: 'attribute_not_exists(finishedThrough) OR finishedThrough < :finishedThrough',
          ExpressionAttributeValues: values,
          ReturnValues: 'UPDATED_OLD',
        },
        options,
      ),
    );
    const before = Attributes?.finishedThrough?.S;
    return {
      outcome: 'advanced',
      ...(before === undefined ? {} : { before: fromSortableSequenceNumber(before) }),
    };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return { outcome: 'already-past' };
    throw error;
  }
}

async function read(
  { client, tableName }: Table,
  streamName: string,
  signal?: AbortSignal,
): Promise<readonly ShardProgress[]> {
  const progress: ShardProgress[] = [];
  const input = {
    TableName: tableName,
    KeyConditionExpression: 'streamName = :streamName',
    ExpressionAttributeValues: { ':streamName': textValue(streamName) },
    ConsistentRead: true,
  };
  const pages = dynamoDbPages(signal, (options) => paginateQuery({ client }, input, options));
  for await (const { Items = [] } of pages) progress.push(...Items.map(decodeProgress));
  return progress;
}

function decodeProgress(item: Item): ShardProgress {
  try {
    const parents = item.parents?.L;
    return {
      shardId: shardId(requireText(item, 'shardId')),
      finishedThrough: fromSortableSequenceNumber(requireText(item, 'finishedThrough')),
      arrivalTime: requireNumber(item, 'arrivalTime'),
      updatedTime: requireNumber(item, 'updatedTime'),
      ...(parents === undefined ? {} : { parents: parents.map(({ S = '' }) => shardId(S)) }),
    };
  } catch (cause) {
    throw new CodedError('DAMAGED_PROGRESS', `shard progress cannot be read: ${String(cause)}`, { cause });
  }
}
