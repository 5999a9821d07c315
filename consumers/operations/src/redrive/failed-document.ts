import { functionNameOf, IOT_ERRORS_PREFIX, iotRecordForm } from '@twinstream/pipeline-settings';
import { type KinesisLambdaEvent, readBatch, type StreamBatch } from '@twinstream/stream-model';
import { readGivenUpBatch } from '@twinstream/verification';
import { z } from 'zod';

export const FAILURE_KINDS = ['projector', 'archiver', 'iot'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** The names that tell what a document is of. */
export interface FailureNames {
  readonly streamName: string;
  readonly projectorFunction: string;
  readonly archiverFunction: string;
  /** SQL of the IoT rule; empty where it is unknown. */
  readonly iotSql: string;
}

export type FailedDocument =
  | { readonly kind: 'projector' | 'archiver'; readonly batch: StreamBatch; readonly payload: string }
  | { readonly kind: 'iot'; readonly topic: string; readonly record: IotRecord }
  /** Of another function or another stream: not redriven here. */
  | { readonly kind: 'other'; readonly detail: string }
  | { readonly kind: 'invalid'; readonly detail: string };

export interface IotRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** Reads the document at a key. Never throws, and names no content. */
export function readFailedDocument(key: string, text: string, names: FailureNames): FailedDocument {
  return key.startsWith(IOT_ERRORS_PREFIX) ? readMessage(key, text, names) : readGivenUp(text, names);
}

/** Records in the form in which Lambda delivers them. PutRecords API reference, PartitionKey: 1 to 256 characters (read 2026-12). */
const deliveredRecords = z.object({
  Records: z.array(
    z.object({
      eventID: z.string(),
      eventSourceARN: z.string(),
      kinesis: z.object({
        partitionKey: z.string().min(1).max(256),
        data: z.base64(),
        // Seconds since 1970, to the end of the year 9999.
        approximateArrivalTimestamp: z.number().min(0).max(253_402_300_799),
      }),
    }),
  ),
});

/** Of a table's stream: status changes, whose receivers read the states again. */
const ofTable = z.object({ DDBStreamBatchInfo: z.unknown() });

function readGivenUp(text: string, names: FailureNames): FailedDocument {
  const given = readGivenUpBatch(text);
  if (given === undefined) {
    const isOfTable = ofTable.safeParse(parsedJson(text)).data?.DDBStreamBatchInfo !== undefined;
    return isOfTable
      ? { kind: 'other', detail: 'changes of a table, not records of the stream' }
      : { kind: 'invalid', detail: 'not a batch that a mapping gave up' };
  }
  const { functionName, payload } = given;
  const kind = kindOf(functionName, names);
  if (kind === undefined) {
    const detail = `of ${functionName}: neither ${names.projectorFunction} nor ${names.archiverFunction}`;
    return { kind: 'other', detail };
  }
  const event: KinesisLambdaEvent = JSON.parse(payload);
  const malformed = deliveredRecords.safeParse(event).error?.issues[0];
  if (malformed !== undefined) {
    return { kind: 'invalid', detail: `${malformed.path.join('.')} of its payload: ${malformed.message}` };
  }
  let batch: StreamBatch;
  try {
    batch = readBatch(event);
  } catch (error) {
    return { kind: 'invalid', detail: error instanceof Error ? error.message : String(error) };
  }
  if (batch.disorder !== undefined) return { kind: 'invalid', detail: 'its records are not in order' };
  if (batch.streamName !== names.streamName) {
    return { kind: 'other', detail: `of the stream ${batch.streamName}, not ${names.streamName}` };
  }
  return { kind, batch, payload };
}

function kindOf(functionName: string, names: FailureNames): 'projector' | 'archiver' | undefined {
  if (functionName === functionNameOf(names.projectorFunction)) return 'projector';
  return functionName === functionNameOf(names.archiverFunction) ? 'archiver' : undefined;
}

/** "Error handling (error action)", "Error action message format", AWS IoT Core developer guide, read 2026-12. */
const failedMessage = z.object({ topic: z.string().min(1), base64OriginalPayload: z.base64() });
/** The rule's partition key, the time at which the rule ran (milliseconds since 1970), an id. */
const MESSAGE_KEY = new RegExp(`^${IOT_ERRORS_PREFIX}(.{1,256})/(\\d{1,15})-[^/]+$`);
/** Keeps every member, `__proto__` included. */
const jsonObject = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** What the rule's Kinesis action would have put: its error action names the object by the same partition key. */
function readMessage(key: string, text: string, { iotSql }: FailureNames): FailedDocument {
  const [, partitionKey, time] = MESSAGE_KEY.exec(key) ?? [];
  const message = failedMessage.safeParse(parsedJson(text)).data;
  if (partitionKey === undefined || message === undefined) {
    return { kind: 'invalid', detail: 'not a message that the IoT rule could not put on the stream' };
  }
  const { topic, base64OriginalPayload } = message;
  const payload = Buffer.from(base64OriginalPayload, 'base64');
  const form = iotRecordForm(iotSql);
  if (form === undefined) {
    const sql = iotSql === '' ? 'TWINSTREAM_IOT_SQL is not set' : 'the rule has SQL of its own';
    return { kind: 'invalid', detail: `${sql}: what it makes of the payload is unknown` };
  }
  if (form === 'payload') return { kind: 'iot', topic, record: { partitionKey, data: payload } };
  const content = payload.toString('utf8').trimEnd();
  const members = jsonObject.safeParse(parsedJson(content)).data;
  if (members === undefined) return { kind: 'invalid', detail: 'the payload is not a JSON object' };
  if (Object.hasOwn(members, 'topic') || Object.hasOwn(members, 'receivedAt')) {
    return { kind: 'invalid', detail: 'the payload has a topic or a receivedAt of its own' };
  }
  // Beside the text as it is: numbers keep their digits.
  const separator = Object.keys(members).length === 0 ? '' : ',';
  const beside = `${separator}"topic":${JSON.stringify(topic)},"receivedAt":${Number(time)}}`;
  return {
    kind: 'iot',
    topic,
    record: { partitionKey, data: Buffer.from(`${content.slice(0, -1)}${beside}`) },
  };
}

/** Undefined for text that is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
