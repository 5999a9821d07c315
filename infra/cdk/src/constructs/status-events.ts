import { FAILED_BATCHES_PREFIX, PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { CodedError } from '@twinstream/runtime';
import { Validations } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type Alias, CfnEventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { NodeFunction } from './node-function.ts';
import { acknowledgeFailedBatches } from './stream-consumer.ts';

export interface StatusEventsProps {
  /** Stream of the device-state table in use. */
  readonly streamArn: string | undefined;
  readonly key: IKey;
  readonly failureBucket: IBucket;
  readonly logDays: RetentionDays;
  readonly aliasName?: string | undefined;
}

const MEMORY_MIB = 512;
const TIMEOUT_SECONDS = 30;
/** A stream of DynamoDB keeps its records for 24 h; they are given up, to the bucket, well before ("DynamoDB Streams", read 2026-11). */
const RECORD_AGE_SECONDS_MAX = 6 * 3_600;
/** Largest batch of a DynamoDB mapping that also fits a request: states of a few KB, before and after. */
const BATCH_SIZE = 500;

/** Tells an event bus when a device connects or disconnects. */
export class StatusEvents extends Construct {
  readonly bus: EventBus;
  readonly lambda: LambdaFunction;
  readonly live: Alias;
  readonly mapping: CfnEventSourceMapping;

  constructor(scope: Construct, id: string, props: StatusEventsProps) {
    super(scope, id);
    const { streamArn, key, failureBucket } = props;
    if (streamArn === undefined) throw new CodedError('INVALID_TABLE', 'the table of states has no stream');
    this.bus = new EventBus(this, 'Bus', { description: 'Changes of device status.' });
    const { lambda, live } = new NodeFunction(this, 'StatusPublisher', {
      bundle: 'status-publisher',
      description: 'Tells an event bus when a device connects or disconnects.',
      memoryMiB: MEMORY_MIB,
      timeoutSeconds: TIMEOUT_SECONDS,
      environment: { TWINSTREAM_EVENT_BUS: this.bus.eventBusName },
      permissions: [
        { sid: 'PublishStatus', actions: ['events:PutEvents'], resources: [this.bus.eventBusArn] },
        {
          sid: 'PollStateChanges',
          actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
          resources: [streamArn],
        },
        // "Process DynamoDB records with Lambda", read 2026-11: without it no mapping is created. The action has no type of resource.
        { sid: 'FindStateChanges', actions: ['dynamodb:ListStreams'], resources: ['*'] },
        {
          sid: 'KeepGivenUpBatches',
          actions: ['s3:PutObject'],
          resources: [failureBucket.arnForObjects(`${FAILED_BATCHES_PREFIX}*`)],
        },
        { sid: 'FindFailureBucket', actions: ['s3:ListBucket'], resources: [failureBucket.bucketArn] },
        { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
      ],
      logDays: props.logDays,
      aliasName: props.aliasName,
    });
    this.lambda = lambda;
    this.live = live;
    acknowledgeFailedBatches(this, failureBucket);
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'DynamoDB has no resource to name when streams are listed, which tells their names alone.',
    });
    this.mapping = new CfnEventSourceMapping(this, 'Mapping', {
      functionName: live.functionArn,
      eventSourceArn: streamArn,
      startingPosition: 'TRIM_HORIZON',
      batchSize: BATCH_SIZE,
      maximumBatchingWindowInSeconds: 1,
      // A filter cannot compare images: it only keeps away what was deleted.
      filterCriteria: { filters: [{ pattern: JSON.stringify(WITH_STATUS) }] },
      functionResponseTypes: ['ReportBatchItemFailures'],
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: PROJECT_MAPPING_SETTINGS.retryAttemptsMax,
      maximumRecordAgeInSeconds: RECORD_AGE_SECONDS_MAX,
      destinationConfig: { onFailure: { destination: failureBucket.bucketArn } },
      metricsConfig: { metrics: ['EventCount'] },
    });
  }
}

/** Records of a table of which a status can be told. */
const WITH_STATUS = { eventName: ['INSERT', 'MODIFY'] };
