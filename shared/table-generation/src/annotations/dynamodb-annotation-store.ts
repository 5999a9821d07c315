import {
  type DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  dynamoDbPages,
  dynamoDbRequest,
  type Item,
  numberValue,
  requireNumber,
  requireText,
  textValue,
} from '@twinstream/aws/dynamodb';
import { type DeviceId, isDeviceId } from '@twinstream/device-model';
import { CodedError, type Logger } from '@twinstream/runtime';
import { type AnnotationName, annotationSchemas, type DeviceAnnotations } from './annotation.ts';
import type { AnnotationStore } from './annotation-store.ts';

/** Partition of the table `operations` with one item a device; each annotation is a document under its name. */
const ANNOTATION_KIND = 'annotation';
/** Partition of the one item that counts the writes. */
const REVISION_KIND = 'annotation-revision';
/** What may be written to keep annotations, and no other partition. */
export const ANNOTATION_KINDS = [ANNOTATION_KIND, REVISION_KIND] as const;
const REVISION_KEY = { kind: textValue(REVISION_KIND), id: textValue('all') };
const NAMES = Object.keys(annotationSchemas) as AnnotationName[];

/**
 * Annotations in the table of operators. Rejects with the codes of {@link dynamoDbRequest}. A document that cannot be read is logged
 * with `ANNOTATION_DAMAGED` and left out, as if nobody had said it; the next one of its name takes its place.
 */
export function dynamoDbAnnotationStore(
  client: DynamoDBClient,
  tableName: string,
  logger: Logger,
): AnnotationStore {
  const keyOf = (deviceId: DeviceId) => ({ kind: textValue(ANNOTATION_KIND), id: textValue(deviceId) });
  const get = async (Key: Item, signal: AbortSignal | undefined) => {
    const request = new GetItemCommand({ TableName: tableName, Key, ConsistentRead: true });
    return (await dynamoDbRequest(signal, (options) => client.send(request, options))).Item;
  };
  const update = (input: ConstructorParameters<typeof UpdateItemCommand>[0], signal?: AbortSignal) =>
    dynamoDbRequest(signal, (options) => client.send(new UpdateItemCommand(input), options));
  const raise = async (signal?: AbortSignal) => {
    const ExpressionAttributeValues = { ':one': numberValue(1) };
    const UpdateExpression = 'ADD revision :one';
    await update(
      { TableName: tableName, Key: REVISION_KEY, UpdateExpression, ExpressionAttributeValues },
      signal,
    );
  };
  const annotationsOf = (deviceId: DeviceId, item: Item): DeviceAnnotations => {
    const entries = NAMES.flatMap((name) => {
      const value = item[name];
      if (value === undefined) return [];
      const document = documentOf(name, value.S);
      if (!(document instanceof CodedError)) return [[name, document] as const];
      logger.error({ deviceId, error: document }, 'annotation left out');
      return [];
    });
    return Object.fromEntries(entries) as DeviceAnnotations;
  };
  return {
    read: async (deviceId, signal) => {
      const item = await get(keyOf(deviceId), signal);
      return item === undefined ? {} : annotationsOf(deviceId, item);
    },
    write: async (deviceId, name, annotation, signal) => {
      await update(
        {
          TableName: tableName,
          Key: keyOf(deviceId),
          UpdateExpression: 'SET #name = :document',
          ExpressionAttributeNames: { '#name': name },
          ExpressionAttributeValues: { ':document': textValue(JSON.stringify(annotation)) },
        },
        signal,
      );
      await raise(signal);
    },
    raise,
    revision: async (signal) => {
      const item = await get(REVISION_KEY, signal);
      return item === undefined ? 0 : requireNumber(item, 'revision');
    },
    all: async function* (signal) {
      const pages = dynamoDbPages(signal, (options) =>
        paginateQuery(
          { client },
          {
            TableName: tableName,
            KeyConditionExpression: 'kind = :kind',
            ExpressionAttributeValues: { ':kind': textValue(ANNOTATION_KIND) },
            ConsistentRead: true,
          },
          options,
        ),
      );
      for await (const { Items = [] } of pages) {
        for (const item of Items) {
          const id = requireText(item, 'id');
          if (isDeviceId(id)) yield [id, annotationsOf(id, item)];
        }
      }
    },
  };
}

function documentOf(name: AnnotationName, text: string | undefined): unknown {
  try {
    return annotationSchemas[name].parse(JSON.parse(text ?? ''));
  } catch (cause) {
    return new CodedError('ANNOTATION_DAMAGED', `the document "${name}" of a device cannot be read`, {
      cause,
    });
  }
}
