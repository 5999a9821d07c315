import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { FAILED_BATCHES_PREFIX, functionNameOf } from '@twinstream/pipeline-settings';
import { isSequenceNumber, isShardId, type SequenceNumber, type ShardId } from '@twinstream/stream-model';

/** A batch that a mapping gave up, with its records. */
export interface GivenUpBatch {
  /** Name of the function that did not finish it. */
  readonly functionName: string;
  readonly shardId: ShardId;
  readonly sequenceNumbers: readonly SequenceNumber[];
  /** The event of the invocation, as JSON text. */
  readonly payload: string;
}

/** Where given-up batches lie, as readers see it. Each document is as large as an invocation, 6 MB at most. */
export interface GivenUpBatches {
  texts(signal?: AbortSignal): AsyncIterable<{ readonly key: string; readonly text: string }>;
}

/** Given-up batches in S3, one document after the other. */
export function s3GivenUpBatches(client: S3Client, bucket: string): GivenUpBatches {
  return {
    texts: async function* (signal) {
      const options = signal === undefined ? {} : { abortSignal: signal };
      const input = { Bucket: bucket, Prefix: FAILED_BATCHES_PREFIX };
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, input, options)) {
        for (const { Key: key = '', Size: bytes = 0 } of Contents) {
          // What the console calls a folder.
          if (key.endsWith('/') && bytes === 0) continue;
          const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), options);
          yield { key, text: (await Body?.transformToString('utf8')) ?? '' };
        }
      }
    },
  };
}

/**
 * Reads the document that Lambda writes to S3 for a batch it gave up; undefined for any other text. Its `payload` is the
 * event as JSON text: the records themselves, so that what it names is really there. Source: "Retain discarded batch records
 * for a Kinesis Data Streams event source", developer guide, read 2026-11.
 */
export function readGivenUpBatch(text: string): GivenUpBatch | undefined {
  const document = parsed(text);
  const functionArn = member(member(document, 'requestContext'), 'functionArn');
  const shardId = member(member(document, 'KinesisBatchInfo'), 'shardId');
  const payload = member(document, 'payload');
  const records = member(typeof payload === 'string' ? parsed(payload) : payload, 'Records');
  if (typeof functionArn !== 'string' || typeof shardId !== 'string' || !isShardId(shardId)) return undefined;
  if (!Array.isArray(records) || records.length === 0) return undefined;
  const sequenceNumbers: SequenceNumber[] = [];
  for (const record of records) {
    const kinesis = member(record, 'kinesis');
    const sequenceNumber = member(kinesis, 'sequenceNumber');
    if (typeof sequenceNumber !== 'string' || !isSequenceNumber(sequenceNumber)) return undefined;
    if (typeof member(kinesis, 'data') !== 'string') return undefined;
    sequenceNumbers.push(sequenceNumber);
  }
  const functionName = functionNameOf(functionArn);
  return {
    ...{ functionName, shardId, sequenceNumbers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
