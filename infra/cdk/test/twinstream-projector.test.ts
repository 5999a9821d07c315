import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Stream, StreamEncryption } from 'aws-cdk-lib/aws-kinesis';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { CODE_FOLDER_CONTEXT } from '../src/code-folders.ts';
import {
  TwinstreamProjector,
  type TwinstreamProjectorProps,
} from '../src/constructs/twinstream-projector.ts';
import { CODE_FOLDER, resource, resources } from './templates.ts';

/** An app of somebody else with a stack of its own. */
function foreignStack(): Stack {
  const app = new App({
    builtinCloudFormationValidation: false,
    context: { [CODE_FOLDER_CONTEXT]: CODE_FOLDER },
  });
  return new Stack(app, 'Foreign', { env: { account: '123456789012', region: 'eu-west-1' } });
}

function projectorOn(stack: Stack, props: Omit<TwinstreamProjectorProps, 'stream'>) {
  const streamKey = Key.fromKeyArn(stack, 'TheirKey', 'arn:aws:kms:eu-west-1:123456789012:key/theirs');
  const stream = Stream.fromStreamAttributes(stack, 'TheirStream', {
    streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/theirs',
    encryptionKey: streamKey,
  });
  return new TwinstreamProjector(stack, 'Projector', { stream, ...props });
}

const findings = (stack: Stack): string[] =>
  new AwsSolutionsChecks(stack)
    .validateScope(stack)
    .violations.flatMap(({ ruleName, violatingResources = [] }) =>
      violatingResources.map((one) => `${ruleName}: ${JSON.stringify(one)}`),
    );

describe('a projector in an app of somebody else', () => {
  test('reads their stream, makes what it was not given, and breaks no rule of AWS Solutions', () => {
    const stack = foreignStack();
    projectorOn(stack, {});
    const template = Template.fromStack(stack);
    expect(resource(template, 'AWS::Lambda::EventSourceMapping', '')).toMatchObject({
      EventSourceArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/theirs',
      // Six hours before a stream of a day drops them.
      MaximumRecordAgeInSeconds: 18 * 3_600,
    });
    expect(resources(template, 'AWS::DynamoDB::Table')).toHaveLength(4);
    expect(resources(template, 'AWS::S3::Bucket')).toHaveLength(1);
    expect(resources(template, 'AWS::Kinesis::Stream')).toHaveLength(0);
    expect(JSON.stringify(template.toJSON())).toContain('"Sid":"DecryptStream"');
    expect(findings(stack)).toEqual([]);
  });

  test('works on tables, bucket, key and topic that exist', () => {
    const stack = foreignStack();
    const table = (name: string) => Table.fromTableName(stack, name, name);
    projectorOn(stack, {
      streamRetention: Duration.days(7),
      tables: {
        events: table('their-events'),
        deviceState: table('their-states'),
        shardProgress: table('their-progress'),
        operations: table('their-operations'),
      },
      bucket: Bucket.fromBucketName(stack, 'TheirBucket', 'their-bucket'),
      key: Key.fromKeyArn(stack, 'DataKey', 'arn:aws:kms:eu-west-1:123456789012:key/data'),
      alarmTopic: Topic.fromTopicArn(stack, 'TheirTopic', 'arn:aws:sns:eu-west-1:123456789012:theirs'),
      batchingWindow: Duration.seconds(30),
    });
    const template = Template.fromStack(stack);
    for (const type of ['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::SNS::Topic']) {
      expect(resources(template, type), type).toEqual([]);
    }
    expect(resource(template, 'AWS::Lambda::EventSourceMapping', '')).toMatchObject({
      MaximumBatchingWindowInSeconds: 30,
      MaximumRecordAgeInSeconds: 6 * 24 * 3_600,
    });
    const { Environment } = resource(template, 'AWS::Lambda::Function', '');
    expect(Environment).toMatchObject({
      Variables: { TWINSTREAM_EVENTS_TABLE: 'their-events', TWINSTREAM_ARCHIVE_BUCKET: 'their-bucket' },
    });
    const alarms = resources(template, 'AWS::CloudWatch::Alarm');
    expect(alarms).toHaveLength(5);
    for (const [, { Properties }] of alarms) {
      expect(Properties.AlarmActions).toEqual(['arn:aws:sns:eu-west-1:123456789012:theirs']);
    }
    expect(findings(stack)).toEqual([]);
  });

  test('uses the key of a stream of the same app once', () => {
    const stack = foreignStack();
    const key = new Key(stack, 'Key', { enableKeyRotation: true });
    const stream = new Stream(stack, 'Stream', { encryption: StreamEncryption.KMS, encryptionKey: key });
    new TwinstreamProjector(stack, 'Projector', { stream, key });
    expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toContain('DecryptStream');
  });
});
