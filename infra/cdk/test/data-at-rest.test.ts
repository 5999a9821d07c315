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

/**
 * What holds data, a position in a stream, or an address that others use. A new logical id makes a new resource beside the old
 * one, or in its place: the data would be gone, or a mapping would begin again. A change of a line here needs a migration by which a deployed
 * stage keeps its own.
 */
const LOGICAL_IDS: Readonly<Record<string, string>> = {
  Key961B73FD: 'AWS::KMS::Key',
  EventStreamA212D9D0: 'AWS::Kinesis::Stream',
  TablesEventsE8DD42EA: 'AWS::DynamoDB::Table',
  TablesDeviceState231F56C1: 'AWS::DynamoDB::Table',
  TablesShardProgressEBEB6AF4: 'AWS::DynamoDB::Table',
  TablesOperations2081F30E: 'AWS::DynamoDB::Table',
  ArchiveAccessLogs31F4F9D7: 'AWS::S3::Bucket',
  ArchiveBucket49F1AC64: 'AWS::S3::Bucket',
  ArchiveDeliveryStreamEEE7D8E7: 'AWS::KinesisFirehose::DeliveryStream',
  ProjectorStateProjectorMappingA0176EBC: 'AWS::Lambda::EventSourceMapping',
  ArchiverEventArchiverMapping85742C59: 'AWS::Lambda::EventSourceMapping',
  StatusEventsMappingF8EA9044: 'AWS::Lambda::EventSourceMapping',
  ApiHttpApi4C294DC0: 'AWS::ApiGatewayV2::Api',
  IotRuleCE220C8C: 'AWS::IoT::TopicRule',
  StatusEventsBusE247B89D: 'AWS::Events::EventBus',
  AlarmsTopic3A2DFEBA: 'AWS::SNS::Topic',
  AlarmsNotes21975C29: 'AWS::SNS::Topic',
};

test('what holds data, positions or addresses keeps its logical id', () => {
  const types = new Set(Object.values(LOGICAL_IDS));
  const made = [...types].flatMap((type) => resources(prod, type).map(([id]) => [id, type] as const));
  expect(Object.fromEntries(made)).toEqual(LOGICAL_IDS);
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
