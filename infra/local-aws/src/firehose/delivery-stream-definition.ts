import { z } from 'zod';
import { invalidArgument, ok, type Result, refused } from './firehose-error.ts';
import {
  BUFFER_MIB,
  BUFFER_SECONDS,
  FILE_EXTENSION_CHARACTERS_MAX,
  LOCAL_BUFFERING,
  MIB,
} from './firehose-quotas.ts';
import { prefixFault } from './prefix-expression.ts';

/** Where and how a stream delivers. */
export interface Destination {
  readonly roleArn: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly errorOutputPrefix?: string;
  readonly compression: 'UNCOMPRESSED' | 'GZIP';
  readonly fileExtension?: string;
  /** An object is written when this much is buffered … */
  readonly bufferBytesMax: number;
  /** … or this long after its first record, whichever comes first. */
  readonly bufferIntervalMs: number;
}

/** A delivery stream as it is kept. */
export interface DeliveryStreamDefinition {
  readonly name: string;
  readonly versionId: string;
  readonly createdMs: number;
  readonly destination: Destination;
}

export const DEFINITION_SCHEMA = z.strictObject({
  name: z.string(),
  versionId: z.string(),
  createdMs: z.number(),
  destination: z.strictObject({
    roleArn: z.string(),
    bucket: z.string(),
    prefix: z.string(),
    errorOutputPrefix: z.string().exactOptional(),
    compression: z.enum(['UNCOMPRESSED', 'GZIP']),
    fileExtension: z.string().exactOptional(),
    bufferBytesMax: z.number(),
    bufferIntervalMs: z.number(),
  }),
});

const BUCKET_ARN = /^arn:aws[a-z-]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/;
const within = ({ min, max }: { min: number; max: number }) => z.int().min(min).max(max);
const unsupported = (what: string) =>
  z.undefined(`${what} is not supported by the local emulator`).optional();

const S3_DESTINATION = z.object({
  RoleARN: z.string().min(1).max(512),
  BucketARN: z.string().regex(BUCKET_ARN, 'must be the ARN of an S3 bucket'),
  Prefix: z.string().optional(),
  ErrorOutputPrefix: z.string().optional(),
  BufferingHints: z
    .object({
      SizeInMBs: within(BUFFER_MIB).optional(),
      IntervalInSeconds: within(BUFFER_SECONDS).optional(),
    })
    .refine(
      ({ SizeInMBs, IntervalInSeconds }) => (SizeInMBs === undefined) === (IntervalInSeconds === undefined),
      'SizeInMBs and IntervalInSeconds go together',
    )
    .optional(),
  CompressionFormat: z
    .enum(['UNCOMPRESSED', 'GZIP'], 'must be UNCOMPRESSED or GZIP in the local emulator')
    .optional(),
  FileExtension: z
    .string()
    .max(FILE_EXTENSION_CHARACTERS_MAX)
    .regex(/^$|^\.[0-9a-z!\-_.*'()]+$/, 'must begin with a dot')
    .optional(),
  CustomTimeZone: z.literal('UTC', 'must be UTC in the local emulator').optional(),
  S3BackupMode: z.literal('Disabled', 'must be Disabled in the local emulator').optional(),
  ProcessingConfiguration: z
    .object({ Enabled: z.literal(false, 'is not supported by the local emulator').optional() })
    .optional(),
  DataFormatConversionConfiguration: z
    .object({ Enabled: z.literal(false, 'is not supported by the local emulator').optional() })
    .optional(),
  DynamicPartitioningConfiguration: z
    .object({ Enabled: z.literal(false, 'is not supported by the local emulator').optional() })
    .optional(),
});

export const STREAM_NAME = z.string().regex(/^[a-zA-Z0-9_.-]{1,64}$/, 'must be 1 to 64 of a-z A-Z 0-9 _ . -');

const CREATE = z
  .object({
    DeliveryStreamName: STREAM_NAME,
    DeliveryStreamType: z.literal('DirectPut', 'must be DirectPut in the local emulator').optional(),
    ExtendedS3DestinationConfiguration: S3_DESTINATION.optional(),
    S3DestinationConfiguration: S3_DESTINATION.optional(),
    KinesisStreamSourceConfiguration: unsupported('KinesisStreamSourceConfiguration'),
    RedshiftDestinationConfiguration: unsupported('RedshiftDestinationConfiguration'),
    HttpEndpointDestinationConfiguration: unsupported('HttpEndpointDestinationConfiguration'),
    DeliveryStreamEncryptionConfigurationInput: unsupported('DeliveryStreamEncryptionConfigurationInput'),
    Tags: z.array(z.unknown()).max(0, 'Tags are not kept by the local emulator: leave them out').optional(),
  })
  .refine(
    (input) =>
      (input.ExtendedS3DestinationConfiguration === undefined) !==
      (input.S3DestinationConfiguration === undefined),
    { path: ['ExtendedS3DestinationConfiguration'], error: 'exactly one S3 destination is needed' },
  );

/** Reads the input of CreateDeliveryStream. */
export function deliveryStreamDefinition(input: unknown, nowMs: number): Result<DeliveryStreamDefinition> {
  const parsed = CREATE.safeParse(input);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
    return refused(invalidArgument(faults.join('; ')));
  }
  const { DeliveryStreamName, ExtendedS3DestinationConfiguration, S3DestinationConfiguration } = parsed.data;
  const s3 = ExtendedS3DestinationConfiguration ?? S3DestinationConfiguration;
  if (s3 === undefined) return refused(invalidArgument('exactly one S3 destination is needed'));
  const fault = prefixFault(s3.Prefix, s3.ErrorOutputPrefix);
  if (fault !== undefined) return refused(invalidArgument(fault));
  const { SizeInMBs, IntervalInSeconds } = s3.BufferingHints ?? {};
  return ok({
    name: DeliveryStreamName,
    versionId: '1',
    createdMs: nowMs,
    destination: {
      roleArn: s3.RoleARN,
      bucket: BUCKET_ARN.exec(s3.BucketARN)?.[1] ?? '',
      prefix: s3.Prefix ?? '',
      ...(s3.ErrorOutputPrefix === undefined ? {} : { errorOutputPrefix: s3.ErrorOutputPrefix }),
      compression: s3.CompressionFormat ?? 'UNCOMPRESSED',
      // An empty extension means none was asked for.
      ...(s3.FileExtension ? { fileExtension: s3.FileExtension } : {}),
      bufferBytesMax: SizeInMBs === undefined ? LOCAL_BUFFERING.bytesMax : SizeInMBs * MIB,
      bufferIntervalMs:
        IntervalInSeconds === undefined ? LOCAL_BUFFERING.intervalMs : IntervalInSeconds * 1_000,
    },
  });
}
