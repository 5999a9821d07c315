import type { KinesisLambdaEvent, KinesisLambdaRecord, LambdaContext } from './lambda-batch.ts';

/** What tells one record of a batch from another. */
export interface LambdaRecordSource {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Uint8Array | string;
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
}

export interface LambdaBatchSource {
  /** Default: `device-events`. */
  readonly streamName?: string;
  /** Default: `shardId-000000000000`. */
  readonly shardId?: string;
  readonly records: readonly LambdaRecordSource[];
}

const REGION = 'us-east-1';
const ACCOUNT = '123456789012';

/** A batch as Lambda would hand it over, for tests and for emulators of Lambda. A text is taken as UTF-8. */
export function lambdaBatch({
  streamName = 'device-events',
  shardId = 'shardId-000000000000',
  records,
}: LambdaBatchSource): KinesisLambdaEvent {
  return { Records: records.map((record) => lambdaRecord(streamName, shardId, record)) };
}

function lambdaRecord(
  streamName: string,
  shardId: string,
  { sequenceNumber, partitionKey, data, arrivalTime }: LambdaRecordSource,
): KinesisLambdaRecord {
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey,
      sequenceNumber,
      data: base64(data),
      approximateArrivalTimestamp: arrivalTime / 1_000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: `arn:aws:iam::${ACCOUNT}:role/consumer`,
    awsRegion: REGION,
    eventSourceARN: `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/${streamName}`,
  };
}

function base64(data: Uint8Array | string): string {
  const bytes =
    typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return bytes.toString('base64');
}

/** A context whose remaining time `remainingMs` tells; by default there is a minute left, always. */
export function lambdaContext(
  remainingMs: () => number = () => 60_000,
  awsRequestId = '00000000-0000-4000-8000-000000000000',
): LambdaContext {
  return { awsRequestId, getRemainingTimeInMillis: remainingMs };
}
