import { randomUUID } from 'node:crypto';
import type { Clock } from '@twinstream/runtime';
import { z } from 'zod';
import type { RequestFaults } from '../faults/fault-rule.ts';
import type { DeliveryStream } from './delivery-stream.ts';
import { deliveryStreamDefinition, STREAM_NAME } from './delivery-stream-definition.ts';
import type { DeliveryStreams } from './delivery-streams.ts';
import { invalidArgument, ok, type Result, refused, SLOW_DOWN } from './firehose-error.ts';
import { LIST_STREAMS_DEFAULT, LIST_STREAMS_MAX, MIB } from './firehose-quotas.ts';
import { type PutInput, putRecordBatchInput, putRecordInput } from './put-records.ts';

export interface OperationContext {
  readonly streams: DeliveryStreams;
  readonly region: string;
  readonly accountId: string;
  readonly clock: Clock;
}

type Operation = (
  input: unknown,
  context: OperationContext,
  faults: RequestFaults | undefined,
) => Promise<Result<unknown>>;

const NAMED = z.object({ DeliveryStreamName: STREAM_NAME });
/** API reference, ListDeliveryStreams (read 2026-11). */
const DELIVERY_STREAM_TYPES = [
  'DirectPut',
  'KinesisStreamAsSource',
  'MSKAsSource',
  'DatabaseAsSource',
] as const;
const LIST = z.object({
  Limit: z.int().min(1).max(LIST_STREAMS_MAX).nullish(),
  ExclusiveStartDeliveryStreamName: z.string().nullish(),
  DeliveryStreamType: z.enum(DELIVERY_STREAM_TYPES).nullish(),
});

/** The operations of the Firehose API that the emulator knows. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateDeliveryStream: async (input, context) => {
    const definition = deliveryStreamDefinition(input, context.clock.now());
    if (definition.kind === 'refused') return definition;
    const created = await context.streams.create(definition.value);
    return created.kind === 'refused' ? created : ok({ DeliveryStreamARN: arnOf(created.value, context) });
  },

  DeleteDeliveryStream: async (input, { streams }) => {
    const named = parse(NAMED, input);
    if (named.kind === 'refused') return named;
    const removed = await streams.remove(named.value.DeliveryStreamName);
    return removed.kind === 'refused' ? removed : ok({});
  },

  DescribeDeliveryStream: async (input, context) => {
    const named = parse(NAMED, input);
    if (named.kind === 'refused') return named;
    const found = context.streams.get(named.value.DeliveryStreamName);
    return found.kind === 'refused'
      ? found
      : ok({ DeliveryStreamDescription: description(found.value, context) });
  },

  ListDeliveryStreams: async (input, { streams }) => {
    const query = parse(LIST, input);
    if (query.kind === 'refused') return query;
    const after = query.value.ExclusiveStartDeliveryStreamName ?? '';
    // All that can be created here are of one type.
    const type = query.value.DeliveryStreamType ?? 'DirectPut';
    const listed = type === 'DirectPut' ? streams.list() : [];
    const names = listed.map(({ definition }) => definition.name);
    const matching = names.filter((name) => name > after);
    const page = matching.slice(0, query.value.Limit ?? LIST_STREAMS_DEFAULT);
    return ok({ DeliveryStreamNames: page, HasMoreDeliveryStreams: page.length < matching.length });
  },

  PutRecord: async (input, { streams }, faults) => {
    const put = putRecordInput(input);
    if (put.kind === 'refused') return put;
    const answers = await accept(streams, put.value, faults);
    if (answers.kind === 'refused') return answers;
    const [recordId] = answers.value;
    return recordId === undefined ? refused(SLOW_DOWN) : ok({ RecordId: recordId, Encrypted: false });
  },

  PutRecordBatch: async (input, { streams }, faults) => {
    const put = putRecordBatchInput(input);
    if (put.kind === 'refused') return put;
    const answers = await accept(streams, put.value, faults);
    if (answers.kind === 'refused') return answers;
    const failed = { ErrorCode: SLOW_DOWN.name, ErrorMessage: SLOW_DOWN.message };
    return ok({
      FailedPutCount: answers.value.filter((recordId) => recordId === undefined).length,
      Encrypted: false,
      RequestResponses: answers.value.map((recordId) =>
        recordId === undefined ? failed : { RecordId: recordId },
      ),
    });
  },
};

/** Undefined where the emulator knows no operation of that name. */
export function operationNamed(name: string): Operation | undefined {
  return Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
}

/** The id of each record, in order; undefined for one that was not taken. */
async function accept(
  streams: DeliveryStreams,
  { streamName, records }: PutInput,
  faults: RequestFaults | undefined,
): Promise<Result<readonly (string | undefined)[]>> {
  const found = streams.get(streamName);
  if (found.kind === 'refused') return found;
  if (!found.value.hasRoom) return refused(SLOW_DOWN);
  const recordFails = faults?.recordFails ?? (() => false);
  const taken = records.map((data) => (recordFails() ? undefined : data));
  await found.value.put(taken.filter((data) => data !== undefined));
  const requestId = randomUUID().replaceAll('-', '');
  return ok(taken.map((data, index) => (data === undefined ? undefined : `${requestId}${index}`)));
}

function arnOf({ definition }: DeliveryStream, { region, accountId }: OperationContext): string {
  return `arn:aws:firehose:${region}:${accountId}:deliverystream/${definition.name}`;
}

function description(stream: DeliveryStream, context: OperationContext) {
  const { name, versionId, createdMs, destination } = stream.definition;
  const s3 = {
    RoleARN: destination.roleArn,
    BucketARN: `arn:aws:s3:::${destination.bucket}`,
    Prefix: destination.prefix,
    ErrorOutputPrefix: destination.errorOutputPrefix,
    BufferingHints: {
      SizeInMBs: Math.round(destination.bufferBytesMax / MIB),
      IntervalInSeconds: Math.round(destination.bufferIntervalMs / 1_000),
    },
    CompressionFormat: destination.compression,
    EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
    S3BackupMode: 'Disabled',
    FileExtension: destination.fileExtension,
    CustomTimeZone: 'UTC',
  };
  return {
    DeliveryStreamName: name,
    DeliveryStreamARN: arnOf(stream, context),
    DeliveryStreamStatus: 'ACTIVE',
    DeliveryStreamType: 'DirectPut',
    VersionId: versionId,
    CreateTimestamp: createdMs / 1_000,
    Destinations: [{ DestinationId: 'destinationId-000000000001', ExtendedS3DestinationDescription: s3 }],
    HasMoreDestinations: false,
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): Result<z.infer<Schema>> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return ok(parsed.data);
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  return refused(invalidArgument(faults.join('; ')));
}
