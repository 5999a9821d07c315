import { type Environment, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';

const SCHEMA = z.object({
  AWS_REGION: z.string(),
  AWS_ACCESS_KEY_ID: z.string(),
  AWS_SECRET_ACCESS_KEY: z.string(),
  AWS_ENDPOINT_URL_KINESIS: z.url(),
  AWS_ENDPOINT_URL_DYNAMODB: z.url(),
  AWS_ENDPOINT_URL_LAMBDA: z.url(),
  AWS_ENDPOINT_URL_S3: z.url(),
  TWINSTREAM_STREAM: z.string(),
  TWINSTREAM_EVENTS_TABLE: z.string(),
  TWINSTREAM_DEVICE_STATE_TABLE: z.string(),
  TWINSTREAM_SHARD_PROGRESS_TABLE: z.string(),
  TWINSTREAM_ARCHIVE_BUCKET: z.string(),
});

/** How the parts of a running pipeline are reached. */
export interface Access {
  readonly client: {
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly endpoints: Readonly<Record<'kinesis' | 'dynamoDb' | 'lambda' | 's3', string>>;
  readonly stream: string;
  readonly eventsTable: string;
  readonly deviceStateTable: string;
  readonly shardProgressTable: string;
  readonly archiveBucket: string;
}

/** Throws `INVALID_CONFIGURATION` where the environment lacks something. */
export function readAccess(environment: Environment): Access {
  const values = readConfiguration(SCHEMA, environment);
  return {
    client: {
      region: values.AWS_REGION,
      credentials: { accessKeyId: values.AWS_ACCESS_KEY_ID, secretAccessKey: values.AWS_SECRET_ACCESS_KEY },
    },
    endpoints: {
      kinesis: values.AWS_ENDPOINT_URL_KINESIS,
      dynamoDb: values.AWS_ENDPOINT_URL_DYNAMODB,
      lambda: values.AWS_ENDPOINT_URL_LAMBDA,
      s3: values.AWS_ENDPOINT_URL_S3,
    },
    stream: values.TWINSTREAM_STREAM,
    eventsTable: values.TWINSTREAM_EVENTS_TABLE,
    deviceStateTable: values.TWINSTREAM_DEVICE_STATE_TABLE,
    shardProgressTable: values.TWINSTREAM_SHARD_PROGRESS_TABLE,
    archiveBucket: values.TWINSTREAM_ARCHIVE_BUCKET,
  };
}
