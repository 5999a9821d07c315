import { NAMES } from '@twinstream/pipeline-settings';

/** Any AWS SDK wants these; the emulators verify no signature. */
export const LOCAL_REGION = 'us-east-1';
export const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;

/** Addresses of the emulators. */
export interface EmulatorUrls {
  readonly kinesis: string;
  readonly dynamoDb: string;
  readonly firehose: string;
  readonly s3: string;
  readonly lambda: string;
  /** Where faults are set: GET, PUT, DELETE /faults. */
  readonly faults: string;
  /** Metrics of the emulators for Prometheus, with the path. */
  readonly metrics: string;
}

/** The variables by which any AWS tool, and every process of the pipeline, finds the emulators. */
export function emulatorEnvironment(urls: EmulatorUrls): Record<string, string> {
  return {
    AWS_REGION: LOCAL_REGION,
    // Some tools, boto3 and the AWS CLI among them, know only this one.
    AWS_DEFAULT_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_KINESIS: urls.kinesis,
    AWS_ENDPOINT_URL_DYNAMODB: urls.dynamoDb,
    AWS_ENDPOINT_URL_FIREHOSE: urls.firehose,
    AWS_ENDPOINT_URL_S3: urls.s3,
    AWS_ENDPOINT_URL_LAMBDA: urls.lambda,
    TWINSTREAM_STREAM: NAMES.stream,
    TWINSTREAM_EVENTS_TABLE: NAMES.eventsTable,
    TWINSTREAM_DEVICE_STATE_TABLE: NAMES.deviceStateTable,
    TWINSTREAM_SHARD_PROGRESS_TABLE: NAMES.shardProgressTable,
    TWINSTREAM_OPERATIONS_TABLE: NAMES.operationsTable,
    TWINSTREAM_ARCHIVE_BUCKET: NAMES.archiveBucket,
    TWINSTREAM_DELIVERY_STREAM: NAMES.deliveryStream,
    TWINSTREAM_FAULTS_URL: urls.faults,
  };
}
