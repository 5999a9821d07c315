import { EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { DEVICE_STATE_TABLE_DEFINITION, SHARD_PROGRESS_TABLE_DEFINITION } from '@twinstream/latest-state';
import { describe, expect, test } from 'vitest';
import { FULL, pipelineTemplate, resource, resources } from './templates.ts';

const prod = pipelineTemplate(FULL);
const dev = pipelineTemplate({});
const TABLES = ['TablesEvents', 'TablesDeviceState', 'TablesShardProgress', 'TablesOperations'];
const OWN_KEY = { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] };

describe.each(TABLES)('table %s', (id) => {
  test('is on demand, encrypted with the own key, and can go back to any moment', () => {
    for (const template of [prod, dev]) {
      expect(resource(template, 'AWS::DynamoDB::Table', id)).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: OWN_KEY },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      });
    }
  });

  test('cannot be deleted where data is kept', () => {
    expect(resource(prod, 'AWS::DynamoDB::Table', id).DeletionProtectionEnabled).toBe(true);
    expect(resource(dev, 'AWS::DynamoDB::Table', id).DeletionProtectionEnabled).toBe(false);
  });
});

test('tables have the keys that the code has, and no index that nothing reads', () => {
  expect(resource(prod, 'AWS::DynamoDB::Table', 'TablesEvents').KeySchema).toEqual(
    EVENTS_TABLE_DEFINITION.KeySchema,
  );
  const state = resource(prod, 'AWS::DynamoDB::Table', 'TablesDeviceState');
  expect(state.KeySchema).toEqual(DEVICE_STATE_TABLE_DEFINITION.KeySchema);
  expect(state.AttributeDefinitions).toEqual(DEVICE_STATE_TABLE_DEFINITION.AttributeDefinitions);
  for (const [, { Properties }] of resources(prod, 'AWS::DynamoDB::Table')) {
    expect(Properties.GlobalSecondaryIndexes).toBeUndefined();
  }
  expect(resource(prod, 'AWS::DynamoDB::Table', 'TablesShardProgress').KeySchema).toEqual(
    SHARD_PROGRESS_TABLE_DEFINITION.KeySchema,
  );
  expect(resource(prod, 'AWS::DynamoDB::Table', 'TablesOperations').KeySchema).toEqual([
    { AttributeName: 'kind', KeyType: 'HASH' },
    { AttributeName: 'id', KeyType: 'RANGE' },
  ]);
});

test('stream, tables, archive and key outlive a stack that keeps data, and go with one that does not', () => {
  const policies = (template: typeof prod) =>
    [
      ...Object.entries(template.findResources('AWS::DynamoDB::Table')),
      ...Object.entries(template.findResources('AWS::Kinesis::Stream')),
      ...Object.entries(template.findResources('AWS::KMS::Key')),
      ...Object.entries(template.findResources('AWS::S3::Bucket')),
    ].map(([, found]) => found.DeletionPolicy);
  expect(new Set(policies(prod))).toEqual(new Set(['Retain']));
  expect(new Set(policies(dev))).toEqual(new Set(['Delete']));
  expect(policies(prod)).toHaveLength(8);
});

test('the key turns every year', () => {
  expect(resource(prod, 'AWS::KMS::Key', 'Key').EnableKeyRotation).toBe(true);
});

test('every bucket is closed to the public and to plain HTTP', () => {
  for (const template of [prod, dev]) {
    const buckets = resources(template, 'AWS::S3::Bucket');
    expect(buckets).toHaveLength(2);
    for (const [id, { Properties }] of buckets) {
      expect(Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const policies = resources(template, 'AWS::S3::BucketPolicy').filter(
        ([, policy]) => JSON.stringify(policy.Properties.Bucket) === JSON.stringify({ Ref: id }),
      );
      expect(JSON.stringify(policies)).toContain('"aws:SecureTransport":"false"');
    }
  }
});
