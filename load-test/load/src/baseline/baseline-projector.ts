import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { KinesisLambdaEvent, KinesisLambdaRecord } from '@twinstream/stream-model';

/*
 * The handler that most would write: a batch utility, and for each record one conditional put of the event and one
 * conditional update of its device's latest state. It compares counters, and knows nothing of gaps, corrections,
 * tombstones, marks, sessions that end, or of what happens between its two writes.
 */

interface BaselineEvent {
  readonly deviceId: string;
  readonly type: string;
  readonly time: string;
  readonly session: number;
  readonly counter: number;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

export interface BaselineTables {
  readonly eventsTable: string;
  readonly deviceStateTable: string;
  /** Is given the write units of each write, where they are wanted. */
  readonly onWriteUnits?: (units: number) => void;
}

export function createBaselineProjector(client: DynamoDBClient, tables: BaselineTables) {
  const processor = new BatchProcessor(EventType.KinesisDataStreams);
  const handle = async (record: KinesisLambdaRecord): Promise<void> => {
    const event: BaselineEvent = JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString());
    await putEvent(client, tables, event, record);
    await updateState(client, tables, event);
  };
  return async (event: KinesisLambdaEvent) =>
    // The utility's own type of an event asks for a list that may be changed.
    await processPartialResponse({ Records: [...event.Records] }, handle, processor, {
      throwOnFullBatchFailure: false,
    });
}

async function putEvent(
  client: DynamoDBClient,
  { eventsTable, onWriteUnits }: BaselineTables,
  { deviceId, type, time, session, counter, data }: BaselineEvent,
  { eventID, kinesis }: KinesisLambdaRecord,
): Promise<void> {
  try {
    const { ConsumedCapacity } = await client.send(
      new PutItemCommand({
        TableName: eventsTable,
        Item: {
          deviceId: { S: deviceId },
          key: { S: `EVENT#${String(session).padStart(10, '0')}#${String(counter).padStart(12, '0')}` },
          type: { S: type },
          time: { S: time },
          position: { S: eventID },
          arrivalTime: { N: String(kinesis.approximateArrivalTimestamp) },
          data: { M: attributesOf(data) },
        },
        ConditionExpression: 'attribute_not_exists(deviceId)',
        ...(onWriteUnits === undefined ? {} : { ReturnConsumedCapacity: 'TOTAL' }),
      }),
    );
    onWriteUnits?.(ConsumedCapacity?.CapacityUnits ?? 0);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

async function updateState(
  client: DynamoDBClient,
  { deviceStateTable, onWriteUnits }: BaselineTables,
  { deviceId, time, session, counter, data }: BaselineEvent,
): Promise<void> {
  const attributes = attributesOf(data);
  const names: Record<string, string> = { '#counter': 'counter', '#session': 'session', '#time': 'time' };
  const values: Record<string, AttributeValue> = {
    ':counter': { N: String(counter) },
    ':session': { N: String(session) },
    ':time': { S: time },
  };
  const set = ['#counter = :counter', '#session = :session', '#time = :time'];
  for (const [index, name] of Object.keys(attributes).entries()) {
    names[`#a${index}`] = name;
    values[`:a${index}`] = attributes[name] ?? { NULL: true };
    set.push(`#a${index} = :a${index}`);
  }
  try {
    const { ConsumedCapacity } = await client.send(
      new UpdateItemCommand({
        TableName: deviceStateTable,
        Key: { deviceId: { S: deviceId } },
        UpdateExpression: `SET ${set.join(', ')}`,
        ConditionExpression:
          'attribute_not_exists(#counter) OR #session < :session OR (#session = :session AND #counter < :counter)',
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        ...(onWriteUnits === undefined ? {} : { ReturnConsumedCapacity: 'TOTAL' }),
      }),
    );
    onWriteUnits?.(ConsumedCapacity?.CapacityUnits ?? 0);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // The events of a batch are processed concurrently, so that older reports often come late. What the failed
    // condition cost is not
    // in the answer; it is billed by the item's size, of less than 1 KB (developer guide, "DynamoDB read and write operations").
    onWriteUnits?.(1);
  }
}

function attributesOf(data: BaselineEvent['data']): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(data)) {
    if (typeof value === 'string') attributes[name] = { S: value };
    else if (typeof value === 'number') attributes[name] = { N: String(value) };
    else attributes[name] = value === null ? { NULL: true } : { BOOL: value };
  }
  return attributes;
}
