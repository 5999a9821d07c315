import { IOT_ERRORS_PREFIX } from '@twinstream/pipeline-settings';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { decide, deployedResources, statementsOf } from './policies.ts';
import { FULL, pipelineTemplate } from './templates.ts';

const deployed = deployedResources([pipelineTemplate(FULL)]);
const POLICIES = z.array(z.object({ PolicyDocument: z.unknown() }));
const RULE = z.object({
  Sql: z.string(),
  RuleDisabled: z.literal(false),
  Actions: z.tuple([
    z.object({
      Kinesis: z.object({ RoleArn: z.string(), StreamName: z.string(), PartitionKey: z.string() }),
    }),
  ]),
  ErrorAction: z.object({
    S3: z.object({ RoleArn: z.string(), BucketName: z.string(), Key: z.string() }),
  }),
});

function only(type: string) {
  const [found, ...others] = deployed.filter((one) => one.type === type);
  if (found === undefined || others.length > 0) throw new Error(`not one resource of ${type}`);
  return found;
}

const rule = RULE.parse(only('AWS::IoT::TopicRule').properties.TopicRulePayload);
const [{ Kinesis: put }] = rule.Actions;
const { S3: keep } = rule.ErrorAction;

/** What the role of an action may do, by the policies that stand in it. */
function decisionOf(roleArn: string, action: string, resource: string) {
  const role = deployed.find(({ type, arn }) => type === 'AWS::IAM::Role' && arn === roleArn);
  const rights = POLICIES.parse(role?.properties.Policies).flatMap(({ PolicyDocument }) =>
    statementsOf(PolicyDocument),
  );
  return decide(rights, { action, resource });
}

test('the rule puts each message on the stream as it is, keyed by the device of its topic', () => {
  expect(rule.Sql).toBe("SELECT * FROM 'twinstream/+/events'");
  expect(put.PartitionKey).toBe('$' + '{topic(2)}');
  const stream = only('AWS::Kinesis::Stream');
  expect(put.StreamName).toBe(stream.id);
  expect(decisionOf(put.RoleArn, 'kinesis:PutRecord', stream.arn)).toBe('allowed');
});

test('what the stream does not take is kept below the prefix that redrives read', () => {
  expect(keep.Key.startsWith(`${IOT_ERRORS_PREFIX}$`)).toBe(true);
  const bucket = deployed.find(({ type, id }) => type === 'AWS::S3::Bucket' && id === keep.BucketName);
  const object = `${bucket?.arn}/${IOT_ERRORS_PREFIX}bus-1/1-2`;
  expect(decisionOf(keep.RoleArn, 's3:PutObject', object)).toBe('allowed');
  expect(decisionOf(keep.RoleArn, 's3:PutObject', `${bucket?.arn}/archive/1`)).toBe('not allowed');
});

test('the role of the rule uses the key of stream and bucket', () => {
  for (const action of ['kms:GenerateDataKey', 'kms:Decrypt']) {
    expect(decisionOf(put.RoleArn, action, only('AWS::KMS::Key').arn)).toBe('allowed');
  }
});
