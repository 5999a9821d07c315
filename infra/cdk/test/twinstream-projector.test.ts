import { Duration, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Stream, StreamEncryption } from 'aws-cdk-lib/aws-kinesis';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import {
  TwinstreamProjector,
  type TwinstreamProjectorProps,
} from '../src/constructs/twinstream-projector.ts';
import { findings, foreignStack, theirStream, theirTables } from './foreign-app.ts';
import { resource, resources } from './templates.ts';

function projectorOn(stack: Stack, props: Omit<TwinstreamProjectorProps, 'stream'>) {
  return new TwinstreamProjector(stack, 'Projector', { stream: theirStream(stack), ...props });
}

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
    projectorOn(stack, {
      streamRetention: Duration.days(7),
      tables: theirTables(stack),
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
