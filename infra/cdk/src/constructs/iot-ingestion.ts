import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import type { Stream } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeObjects } from './archive.ts';
import { policyDocument } from './node-function.ts';

export interface IotIngestionProps {
  readonly stream: Stream;
  readonly key: IKey;
  readonly bucket: Bucket;
}

/** Devices publish one event a message to `twinstream/<device id>/events`. */
export const IOT_TOPIC_FILTER = 'twinstream/+/events';
/** Messages that the stream did not take. */
export const IOT_ERRORS_PREFIX = 'iot-errors/';

/**
 * Puts what devices publish on the stream, one record a message, keyed by the device id of the topic: messages of a device stay
 * in one shard. The rule engine does not promise their order; counters correct it ("Rules", AWS IoT Core, read 2026-11).
 */
export class IotIngestion extends Construct {
  constructor(scope: Construct, id: string, { stream, key, bucket }: IotIngestionProps) {
    super(scope, id);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('iot.amazonaws.com'),
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
    new CfnTopicRule(this, 'Rule', {
      topicRulePayload: {
        awsIotSqlVersion: '2016-03-23',
        description: 'Device events to the stream.',
        sql: `SELECT * FROM '${IOT_TOPIC_FILTER}'`,
        ruleDisabled: false,
        actions: [
          {
            // biome-ignore lint/suspicious/noTemplateCurlyInString: a substitution of AWS IoT, not of JavaScript
            kinesis: { roleArn: role.roleArn, streamName: stream.streamName, partitionKey: '${topic(2)}' },
          },
        ],
        errorAction: {
          s3: {
            roleArn: role.roleArn,
            bucketName: bucket.bucketName,
            // biome-ignore lint/suspicious/noTemplateCurlyInString: a substitution of AWS IoT, not of JavaScript
            key: `${IOT_ERRORS_PREFIX}${'${topic(2)}/${timestamp()}-${newuuid()}'}`,
          },
        },
      },
    });
  }
}
