import { IOT_ERRORS_PREFIX } from '@twinstream/pipeline-settings';
import { Role } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeObjects } from './archive.ts';
import { policyDocument, serviceOfAccount } from './node-function.ts';

/** What the IoT rule takes, and what it makes of a message. */
export interface IotRule {
  /** Topics of which a message is one record, an MQTT topic filter. */
  readonly topicFilter: string;
  readonly sql: string;
}

export interface IotIngestionProps {
  readonly stream: IStream;
  readonly key: IKey;
  readonly bucket: IBucket;
  readonly rule: IotRule;
}

/**
 * Puts what devices publish on the stream, one record a message, keyed by the part of the topic that the last `+` of its filter
 * stands for, the device id: messages of a device stay in one shard. Without a `+`, the whole topic is the key. The rule engine does not promise their order; counters correct it ("Rules", AWS IoT Core, read 2026-11).
 */
export class IotIngestion extends Construct {
  readonly ruleName: string;

  constructor(scope: Construct, id: string, { stream, key, bucket, rule }: IotIngestionProps) {
    super(scope, id);
    const role = new Role(this, 'Role', {
      assumedBy: serviceOfAccount(this, 'iot.amazonaws.com'),
      inlinePolicies: {
        ingest: policyDocument([
          { sid: 'PutEvents', actions: ['kinesis:PutRecord'], resources: [stream.streamArn] },
          {
            sid: 'KeepWhatFailed',
            actions: ['s3:PutObject'],
            resources: [bucket.arnForObjects(`${IOT_ERRORS_PREFIX}*`)],
          },
          { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
        ]),
      },
    });
    acknowledgeObjects(role, bucket, IOT_ERRORS_PREFIX, 'One object a failed message, below this prefix.');
    const device = substitution(`topic(${deviceSegment(rule.topicFilter)})`);
    const made = new CfnTopicRule(this, 'Rule', {
      topicRulePayload: {
        awsIotSqlVersion: '2016-03-23',
        description: 'Device events to the stream.',
        sql: rule.sql,
        ruleDisabled: false,
        actions: [
          {
            kinesis: { roleArn: role.roleArn, streamName: stream.streamName, partitionKey: device },
          },
        ],
        errorAction: {
          s3: {
            roleArn: role.roleArn,
            bucketName: bucket.bucketName,
            key: `${IOT_ERRORS_PREFIX}${device}/${substitution('timestamp()')}-${substitution('newuuid()')}`,
          },
        },
      },
    });
    this.ruleName = made.ref;
  }
}

/** A substitution template of AWS IoT. */
function substitution(expression: string): string {
  return `$\{${expression}}`;
}

/** Number of the segment that the last `+` of a filter stands for, from 1; nothing where it has none. */
function deviceSegment(topicFilter: string): string {
  const segment = topicFilter.split('/').lastIndexOf('+') + 1;
  return segment === 0 ? '' : String(segment);
}
