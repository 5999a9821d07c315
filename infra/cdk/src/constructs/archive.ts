import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, LogStream, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  CfnBucket,
  type IBucket,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { policyDocument } from './node-function.ts';

export interface ArchiveProps {
  readonly key: IKey;
  /** Existing bucket. Default: one that is versioned and encrypted, has access logs, and moves the archive to colder storage. */
  readonly bucket?: IBucket | undefined;
  readonly keepsData: boolean;
  readonly bufferSeconds: number;
  readonly logDays: RetentionDays;
}

export const ARCHIVE_ERRORS_PREFIX = 'archive-errors/';
export const QUERY_RESULTS_PREFIX = 'athena-results/';
/** Objects of about 64 MB before compression, where there is that much in time: few requests, and good to query. */
const BUFFER_MIB = 64;
const S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY = '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy';
const COLD_AFTER_DAYS = 90;
const OLD_VERSION_DAYS = 30;
const ACCESS_LOG_DAYS = 90;
const QUERY_RESULT_DAYS = 14;
const UNFINISHED_UPLOAD_DAYS = 7;

/** The bucket beyond the stream's retention, and the delivery stream that fills it. Quarantine and given-up batches lie in it too. */
export class Archive extends Construct {
  readonly bucket: IBucket;
  readonly deliveryStream: CfnDeliveryStream;

  constructor(scope: Construct, id: string, props: ArchiveProps) {
    super(scope, id);
    // An app without this flag would have S3 deliver access logs by an ACL, which buckets of their owner alone refuse.
    this.node.setContext(S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY, true);
    this.bucket = props.bucket ?? this.makeBucket(props);
    this.deliveryStream = this.deliver(props);
  }

  private makeBucket({ key, keepsData }: ArchiveProps): Bucket {
    const removal = keepsData
      ? { removalPolicy: RemovalPolicy.RETAIN }
      : { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true };
    const accessLogs = new Bucket(this, 'AccessLogs', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(ACCESS_LOG_DAYS) }],
      ...removal,
    });
    Validations.of(accessLogs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds access logs: logging its own accesses into itself would never end.',
    });
    return new Bucket(this, 'Bucket', {
      ...encryptedBucket(key),
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'archive-bucket/',
      lifecycleRules: [
        {
          id: 'archive-grows-cold',
          prefix: ARCHIVE_PREFIX,
          transitions: [
            {
              storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL,
              transitionAfter: Duration.days(COLD_AFTER_DAYS),
            },
          ],
        },
        {
          id: 'query-results-go',
          prefix: QUERY_RESULTS_PREFIX,
          expiration: Duration.days(QUERY_RESULT_DAYS),
        },
        {
          id: 'old-versions-go',
          noncurrentVersionExpiration: Duration.days(OLD_VERSION_DAYS),
          abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_UPLOAD_DAYS),
        },
      ],
      ...removal,
    });
  }

  private deliver({ key, bufferSeconds, logDays }: ArchiveProps): CfnDeliveryStream {
    const { bucket } = this;
    const logGroup = new LogGroup(this, 'DeliveryLogs', {
      retention: logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logStream = new LogStream(this, 'DeliveryLog', { logGroup, removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, 'DeliveryRole', {
      assumedBy: new ServicePrincipal('firehose.amazonaws.com', {
        conditions: { StringEquals: { 'sts:ExternalId': Stack.of(this).account } },
      }),
      // "Grant Firehose access to an Amazon S3 destination", Data Firehose developer guide, read 2026-11.
      inlinePolicies: {
        deliver: policyDocument([
          {
            sid: 'DeliverObjects',
            actions: ['s3:AbortMultipartUpload', 's3:PutObject'],
            resources: [
              bucket.arnForObjects(`${ARCHIVE_PREFIX}*`),
              bucket.arnForObjects(`${ARCHIVE_ERRORS_PREFIX}*`),
            ],
          },
          {
            sid: 'FindBucket',
            actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
            resources: [bucket.bucketArn],
          },
          { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
          { sid: 'WriteOwnLogs', actions: ['logs:PutLogEvents'], resources: [logGroup.logGroupArn] },
        ]),
      },
    });
    for (const prefix of [ARCHIVE_PREFIX, ARCHIVE_ERRORS_PREFIX]) {
      acknowledgeObjects(role, bucket, prefix, 'Firehose names its objects itself, below this prefix.');
    }
    return new CfnDeliveryStream(this, 'DeliveryStream', {
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'CUSTOMER_MANAGED_CMK', keyArn: key.keyArn },
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.bucketArn,
        roleArn: role.roleArn,
        prefix: `${ARCHIVE_PREFIX}year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/`,
        errorOutputPrefix: `${ARCHIVE_ERRORS_PREFIX}!{firehose:error-output-type}/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/`,
        compressionFormat: 'GZIP',
        bufferingHints: { intervalInSeconds: bufferSeconds, sizeInMBs: BUFFER_MIB },
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: logGroup.logGroupName,
          logStreamName: logStream.logStreamName,
        },
      },
    });
  }
}

/** Says why a role may touch any object below a prefix. */
export function acknowledgeObjects(scope: Construct, bucket: IBucket, prefix: string, reason: string): void {
  const { defaultChild } = bucket.node;
  // A bucket of another app has no resource here.
  const arn = CfnBucket.isCfnBucket(defaultChild)
    ? `<${Stack.of(bucket).getLogicalId(defaultChild)}.Arn>`
    : `arn:<AWS::Partition>:s3:::${bucket.bucketName}`;
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${arn}/${prefix}*]`, reason });
}

/** Of a bucket whose objects are encrypted with the key and keep their versions; only this account reaches it, and only by TLS. */
export function encryptedBucket(encryptionKey: IKey): BucketProps {
  return {
    encryption: BucketEncryption.KMS,
    encryptionKey,
    bucketKeyEnabled: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
  };
}
