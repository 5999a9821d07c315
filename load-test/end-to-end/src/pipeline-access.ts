import { type Environment, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';

/** How one service is reached. Empty: as the AWS SDK's own variables, files and defaults say. */
export interface ClientSettings {
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly endpoint?: string;
}

/** How the parts of a running pipeline are reached, and what they are called. */
export interface Access {
  readonly clients: Readonly<Record<'kinesis' | 'dynamoDb' | 'lambda' | 's3', ClientSettings>>;
  readonly stream: string;
  readonly eventsTable: string;
  readonly deviceStateTable: string;
  readonly shardProgressTable: string;
  readonly archiveBucket: string;
}

const LOCAL_SCHEMA = z.object({
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

/**
 * Access to a pipeline that runs on this machine, by the variables that it tells: they are not those of this process, so
 * the SDK must be given everything. Throws `INVALID_CONFIGURATION` where the environment lacks something.
 */
export function localAccess(environment: Environment): Access {
  const values = readConfiguration(LOCAL_SCHEMA, environment);
  const client = {
    region: values.AWS_REGION,
    credentials: { accessKeyId: values.AWS_ACCESS_KEY_ID, secretAccessKey: values.AWS_SECRET_ACCESS_KEY },
  };
  return {
    clients: {
      kinesis: { ...client, endpoint: values.AWS_ENDPOINT_URL_KINESIS },
      dynamoDb: { ...client, endpoint: values.AWS_ENDPOINT_URL_DYNAMODB },
      lambda: { ...client, endpoint: values.AWS_ENDPOINT_URL_LAMBDA },
      s3: { ...client, endpoint: values.AWS_ENDPOINT_URL_S3 },
    },
    stream: values.TWINSTREAM_STREAM,
    eventsTable: values.TWINSTREAM_EVENTS_TABLE,
    deviceStateTable: values.TWINSTREAM_DEVICE_STATE_TABLE,
    shardProgressTable: values.TWINSTREAM_SHARD_PROGRESS_TABLE,
    archiveBucket: values.TWINSTREAM_ARCHIVE_BUCKET,
  };
}
