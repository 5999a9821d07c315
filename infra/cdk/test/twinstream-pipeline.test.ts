import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import { TwinstreamPipeline } from '../src/constructs/twinstream-pipeline.ts';
import { findings, foreignStack, theirStream, theirTables } from './foreign-app.ts';
import { resource, resources } from './templates.ts';

const KEY_ARN = 'arn:aws:kms:eu-west-1:123456789012:key/data';
const MAPPING = 'AWS::Lambda::EventSourceMapping';

describe('a pipeline in an app of somebody else', () => {
  test('reads their stream with projector and archiver, and makes what it was not given', () => {
    const stack = foreignStack();
    new TwinstreamPipeline(stack, 'Pipeline', { stream: theirStream(stack), api: {} });
    const template = Template.fromStack(stack);
    const mappings = resources(template, MAPPING).map(([, { Properties }]) => Properties);
    expect(mappings).toHaveLength(2);
    for (const mapping of mappings) {
      expect(mapping).toMatchObject({
        EventSourceArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/theirs',
        // Six hours before a stream of a day drops them.
        MaximumRecordAgeInSeconds: 18 * 3_600,
      });
    }
    expect(resources(template, 'AWS::Kinesis::Stream')).toEqual([]);
    expect(resources(template, 'AWS::DynamoDB::Table')).toHaveLength(4);
    expect(resources(template, 'AWS::KinesisFirehose::DeliveryStream')).toHaveLength(1);
    expect(resources(template, 'AWS::ApiGatewayV2::Api')).toHaveLength(1);
    expect(resources(template, 'AWS::SNS::Topic')).toHaveLength(2);
    expect(findings(stack)).toEqual([]);
  });

  test('makes a stream where none exists, and no API that was not asked for', () => {
    const stack = foreignStack();
    new TwinstreamPipeline(stack, 'Pipeline', {
      streamCapacity: { mode: 'provisioned', shardCount: 2 },
      streamRetention: Duration.days(3),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const template = Template.fromStack(stack);
    expect(resource(template, 'AWS::Kinesis::Stream', '')).toMatchObject({
      RetentionPeriodHours: 72,
      ShardCount: 2,
    });
    expect(resources(template, 'AWS::ApiGatewayV2::Api')).toEqual([]);
    expect(findings(stack)).toEqual([]);
  });

  test('works on tables, bucket, key and topic that exist', () => {
    const stack = foreignStack();
    new TwinstreamPipeline(stack, 'Pipeline', {
      stream: theirStream(stack),
      tables: theirTables(stack),
      bucket: Bucket.fromBucketName(stack, 'TheirBucket', 'their-bucket'),
      key: Key.fromKeyArn(stack, 'DataKey', KEY_ARN),
      alarmTopic: Topic.fromTopicArn(stack, 'TheirTopic', 'arn:aws:sns:eu-west-1:123456789012:theirs'),
      api: {},
    });
    const template = Template.fromStack(stack);
    for (const type of ['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::SNS::Topic']) {
      expect(resources(template, type), type).toEqual([]);
    }
    const alarms = resources(template, 'AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThan(10);
    for (const [, { Properties }] of alarms) {
      expect(Properties.AlarmActions).toEqual(['arn:aws:sns:eu-west-1:123456789012:theirs']);
    }
    expect(resource(template, 'AWS::Lambda::Function', 'PipelineProjector').Environment).toMatchObject({
      Variables: { TWINSTREAM_EVENTS_TABLE: 'their-events', TWINSTREAM_ARCHIVE_BUCKET: 'their-bucket' },
    });
    expect(findings(stack)).toEqual([]);
  });

  test('sizes its functions, names their alias and keeps logs as it is told', () => {
    const stack = foreignStack();
    new TwinstreamPipeline(stack, 'Pipeline', {
      stream: theirStream(stack),
      projector: { memoryMiB: 3_008, batchingWindow: Duration.seconds(30), parallelizationFactor: 4 },
      archiver: { memoryMiB: 512, reservedConcurrency: 7 },
      aliasName: 'current',
      logRetention: RetentionDays.THREE_DAYS,
      tableCapacity: { mode: 'on-demand', writeUnitsMax: 900 },
      alarms: false,
      dashboard: false,
    });
    const template = Template.fromStack(stack);
    const projector = 'PipelineProjector';
    expect(resource(template, 'AWS::Lambda::Function', projector).MemorySize).toBe(3_008);
    expect(resource(template, MAPPING, projector)).toMatchObject({
      MaximumBatchingWindowInSeconds: 30,
      ParallelizationFactor: 4,
    });
    expect(resource(template, 'AWS::Lambda::Function', 'PipelineArchiver')).toMatchObject({
      MemorySize: 512,
      ReservedConcurrentExecutions: 7,
    });
    const valuesOf = (type: string, member: string) =>
      new Set(resources(template, type).map(([, { Properties }]) => Properties[member]));
    expect(valuesOf('AWS::Lambda::Alias', 'Name')).toEqual(new Set(['current']));
    expect(valuesOf('AWS::Logs::LogGroup', 'RetentionInDays')).toEqual(new Set([3]));
    expect(resource(template, 'AWS::DynamoDB::Table', 'PipelineTablesEvents').OnDemandThroughput).toEqual({
      MaxWriteRequestUnits: 900,
    });
    for (const type of ['AWS::CloudWatch::Alarm', 'AWS::SNS::Topic', 'AWS::CloudWatch::Dashboard']) {
      expect(resources(template, type), type).toEqual([]);
    }
  });

  test('warns where alarms cannot use the key that encrypts their topics', () => {
    const stack = foreignStack();
    const key = Key.fromKeyArn(stack, 'DataKey', KEY_ARN);
    new TwinstreamPipeline(stack, 'Pipeline', { stream: theirStream(stack), key });
    Annotations.fromStack(stack).hasWarning(
      '/Foreign/Pipeline/Alarms',
      Match.stringLikeRegexp('cloudwatch\\.amazonaws\\.com'),
    );
  });

  test('refuses a rollout that only alarms could stop where there are none', () => {
    const stack = foreignStack();
    expect(() => new TwinstreamPipeline(stack, 'Pipeline', { rollout: 'canary', alarms: false })).toThrow(
      'rollout',
    );
  });
});
