import type { MappingSettings } from '@twinstream/pipeline-settings';
import { FAILED_BATCHES_PREFIX } from '@twinstream/pipeline-settings';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type Alias, CfnEventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeObjects } from './archive.ts';
import { NodeFunction, type NodeFunctionProps, type Permission } from './node-function.ts';

export interface StreamConsumerProps extends NodeFunctionProps {
  readonly stream: IStream;
  /** Encrypts what it writes. The stream may have a key of its own. */
  readonly key: IKey;
  /** Takes batches that are given up, whole. */
  readonly failureBucket: IBucket;
  readonly mapping: MappingSettings;
}

/** A function and the mapping that feeds it. The mapping's settings are those that the local pipeline runs with. */
export class StreamConsumer extends Construct {
  readonly lambda: LambdaFunction;
  readonly live: Alias;
  readonly mapping: CfnEventSourceMapping;

  constructor(scope: Construct, id: string, props: StreamConsumerProps) {
    super(scope, id);
    const { stream, key, failureBucket, mapping } = props;
    const { lambda, live } = new NodeFunction(this, 'Consumer', {
      ...props,
      permissions: [
        ...props.permissions,
        {
          // Lambda polls with the role of the function: "Process Kinesis records", "Required execution role permissions", read 2026-11.
          sid: 'PollStream',
          actions: [
            'kinesis:DescribeStream',
            'kinesis:DescribeStreamSummary',
            'kinesis:GetRecords',
            'kinesis:GetShardIterator',
            'kinesis:ListShards',
          ],
          resources: [stream.streamArn],
        },
        {
          // "Retain discarded batch records … Amazon S3 destination", read 2026-11: the service writes below a prefix of its own.
          sid: 'KeepGivenUpBatches',
          actions: ['s3:PutObject'],
          resources: [failureBucket.arnForObjects(`${FAILED_BATCHES_PREFIX}*`)],
        },
        { sid: 'FindFailureBucket', actions: ['s3:ListBucket'], resources: [failureBucket.bucketArn] },
        { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
        ...decryptOf(stream, key),
      ],
    });
    this.lambda = lambda;
    this.live = live;
    acknowledgeFailedBatches(this, failureBucket);
    this.mapping = new CfnEventSourceMapping(this, 'Mapping', {
      functionName: live.functionArn,
      eventSourceArn: stream.streamArn,
      ...mappingProperties(mapping),
      destinationConfig: { onFailure: { destination: failureBucket.bucketArn } },
      metricsConfig: { metrics: ['EventCount'] },
    });
  }
}

/** A stream of another app is encrypted with a key of that. */
function decryptOf({ encryptionKey }: IStream, key: IKey): readonly Permission[] {
  if (encryptionKey === undefined || encryptionKey.keyArn === key.keyArn) return [];
  return [{ sid: 'DecryptStream', actions: ['kms:Decrypt'], resources: [encryptionKey.keyArn] }];
}

const UNLIMITED = -1;

/** Settings of a mapping as CloudFormation names them. */
export function mappingProperties(settings: MappingSettings) {
  const { startingPosition, retryAttemptsMax, recordAgeSecondsMax } = settings;
  if (recordAgeSecondsMax === UNLIMITED) {
    throw new RangeError('a mapping without a limit of age lets the stream drop records that nobody keeps');
  }
  return {
    batchSize: settings.batchSize,
    maximumBatchingWindowInSeconds: settings.batchingWindowMs / 1_000,
    parallelizationFactor: settings.parallelizationFactor,
    functionResponseTypes: settings.reportBatchItemFailures ? ['ReportBatchItemFailures'] : [],
    bisectBatchOnFunctionError: settings.bisectBatchOnFunctionError,
    maximumRetryAttempts: retryAttemptsMax,
    maximumRecordAgeInSeconds: recordAgeSecondsMax,
    startingPosition: startingPosition.type,
    ...(startingPosition.type === 'AT_TIMESTAMP'
      ? { startingPositionTimestamp: startingPosition.timestampMs / 1_000 }
      : {}),
  };
}

/** Says why a function's role may put any object below the prefix of given-up batches. */
export function acknowledgeFailedBatches(scope: Construct, bucket: IBucket): void {
  acknowledgeObjects(
    scope,
    bucket,
    FAILED_BATCHES_PREFIX,
    'Lambda names the objects of given-up batches itself, below this prefix.',
  );
}
