import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cloudWatchClient, snsClient } from '@twinstream/aws/alarms';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { lambdaClient } from '@twinstream/aws/lambda';
import { s3Client } from '@twinstream/aws/s3';
import { memoryOperations } from '../memory-operations.ts';

/** An answer on the wire: JSON for most services, XML for S3 and SNS. */
export interface Answer {
  readonly status?: number;
  readonly body: object | string;
}

const STREAM_ARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/device-events';
export const TOPIC = 'arn:aws:sns:us-east-1:123456789012:twinstream-pages';

export function mapping(functionName: string, other: object = {}) {
  return {
    UUID: '14e0db71-xmpl-4eb5-b481-8945cf9d10c2',
    BatchSize: 10_000,
    MaximumBatchingWindowInSeconds: 1,
    ParallelizationFactor: 1,
    EventSourceArn: STREAM_ARN,
    FunctionArn: `arn:aws:lambda:us-east-1:123456789012:function:${functionName}`,
    LastModified: 1_764_547_200,
    LastProcessingResult: 'OK',
    State: 'Enabled',
    StateTransitionReason: 'User action',
    DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::twinstream-archive' } },
    MaximumRecordAgeInSeconds: 518_400,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: -1,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ...other,
  };
}

const table = { Table: { TableStatus: 'ACTIVE', DeletionProtectionEnabled: true } };
const alarm = {
  AlarmName: 'twinstream-ProjectorIteratorAge',
  ActionsEnabled: true,
  AlarmActions: [TOPIC],
  Namespace: 'AWS/Lambda',
  MetricName: 'IteratorAge',
  Dimensions: [{ Name: 'FunctionName', Value: 'state-projector' }],
};
/** A metric of somebody else's function, whose alarm has no action. */
const foreignAlarm = { ...alarm, AlarmActions: [], Dimensions: [{ Name: 'FunctionName', Value: 'other' }] };

export function subscriptions(...arns: readonly string[]): string {
  const members = arns.map(
    (arn) =>
      `<member><TopicArn>${TOPIC}</TopicArn><Protocol>email</Protocol><SubscriptionArn>${arn}</SubscriptionArn><Owner>123456789012</Owner><Endpoint>night@example.com</Endpoint></member>`,
  );
  return `<ListSubscriptionsByTopicResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><ListSubscriptionsByTopicResult><Subscriptions>${members.join('')}</Subscriptions></ListSubscriptionsByTopicResult><ResponseMetadata><RequestId>b9275252-3774-11df-9540-99d0768312d3</RequestId></ResponseMetadata></ListSubscriptionsByTopicResponse>`;
}

const S3_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
export function publicAccess(restricted: boolean): string {
  return `<PublicAccessBlockConfiguration ${S3_NAMESPACE}><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>${restricted}</RestrictPublicBuckets></PublicAccessBlockConfiguration>`;
}

/**
 * Answers of a stage that lacks nothing, by operation, in the shapes of the API references of Kinesis, DynamoDB, Lambda, S3, CloudWatch and SNS, read
 * in December 2026.
 */
const HEALTHY: Readonly<Record<string, Answer>> = {
  DescribeStreamSummary: {
    body: {
      StreamDescriptionSummary: {
        StreamName: 'device-events',
        StreamARN: STREAM_ARN,
        StreamStatus: 'ACTIVE',
        StreamModeDetails: { StreamMode: 'PROVISIONED' },
        RetentionPeriodHours: 168,
        StreamCreationTimestamp: 1_764_547_200,
        EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
        EncryptionType: 'KMS',
        KeyId: 'arn:aws:kms:us-east-1:123456789012:key/0',
        OpenShardCount: 30,
        ConsumerCount: 0,
      },
    },
  },
  'Kinesis.DescribeLimits': { body: { ShardLimit: 20_000, OpenShardCount: 40, OnDemandStreamCount: 0 } },
  ListEventSourceMappings: {
    body: { EventSourceMappings: [mapping('state-projector:live'), mapping('event-archiver:live')] },
  },
  GetAccountSettings: {
    body: {
      AccountLimit: { TotalCodeSize: 1, ConcurrentExecutions: 1_000, UnreservedConcurrentExecutions: 900 },
      AccountUsage: { TotalCodeSize: 1, FunctionCount: 3 },
    },
  },
  DescribeTable: { body: table },
  DescribeContinuousBackups: {
    body: {
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: 35 },
      },
    },
  },
  'DynamoDB.DescribeLimits': {
    body: {
      AccountMaxReadCapacityUnits: 80_000,
      AccountMaxWriteCapacityUnits: 80_000,
      TableMaxReadCapacityUnits: 40_000,
      TableMaxWriteCapacityUnits: 40_000,
    },
  },
  HeadBucket: { body: '' },
  GetPublicAccessBlock: { body: publicAccess(true) },
  GetBucketEncryption: {
    body: `<ServerSideEncryptionConfiguration ${S3_NAMESPACE}><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
  },
  DescribeAlarms: { body: { MetricAlarms: [alarm, foreignAlarm], CompositeAlarms: [] } },
  ListSubscriptionsByTopic: { body: subscriptions(`${TOPIC}:be21517f`) },
};

/** Services whose every request is answered on this machine as recorded, with `changed` instead where it names the operation. Notes the requests. */
export async function recordedAws(changed: Readonly<Record<string, Answer>> = {}) {
  const answers: Readonly<Record<string, Answer>> = { ...HEALTHY, ...changed };
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(Buffer.from(part));
    const operation = operationOf(request, Buffer.concat(parts).toString());
    asked.push(operation);
    const { status = 200, body } = answers[operation] ?? { status: 500, body: `not recorded: ${operation}` };
    const isText = typeof body === 'string';
    response.writeHead(status, { 'content-type': isText ? 'text/xml' : 'application/x-amz-json-1.1' });
    response.end(isText ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const options = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  };
  const memory = memoryOperations();
  return {
    asked,
    services: {
      ...memory,
      // As the stacks name it: by its alias.
      configuration: { ...memory.configuration, projectorFunction: 'state-projector:live' },
      dynamoDb: dynamoDbClient(options),
      kinesis: kinesisClient(options),
      lambda: lambdaClient(options),
      s3: s3Client(options),
      alarms: { cloudWatch: cloudWatchClient(options), sns: snsClient(options) },
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}

interface Asked {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

function operationOf({ method, url = '', headers }: Asked, body: string): string {
  const [service = '', operation] = String(headers['x-amz-target'] ?? '').split('.');
  if (operation === 'DescribeLimits') return `${service.split('_')[0]}.${operation}`;
  if (operation !== undefined) return operation;
  const action = new URLSearchParams(body).get('Action');
  if (action !== null) return action;
  if (url.includes('event-source-mappings')) return 'ListEventSourceMappings';
  if (url.includes('account-settings')) return 'GetAccountSettings';
  if (method === 'HEAD') return 'HeadBucket';
  return url.includes('publicAccessBlock') ? 'GetPublicAccessBlock' : 'GetBucketEncryption';
}
