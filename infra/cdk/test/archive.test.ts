import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';
import { describe, expect, test } from 'vitest';
import { FULL, pipelineTemplate, resource } from './templates.ts';

const template = pipelineTemplate(FULL);
const dev = pipelineTemplate({});

describe('delivery stream', () => {
  const delivery = resource(template, 'AWS::KinesisFirehose::DeliveryStream', 'Archive');

  test('compresses, and lays objects by hour of arrival below the prefix that readers know', () => {
    expect(delivery.ExtendedS3DestinationConfiguration).toMatchObject({
      CompressionFormat: 'GZIP',
      Prefix: `${ARCHIVE_PREFIX}year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/`,
      ErrorOutputPrefix: expect.stringMatching(/^archive-errors\/!\{firehose:error-output-type}\//),
      BufferingHints: { IntervalInSeconds: 300, SizeInMBs: 64 },
    });
  });

  test('is encrypted with the own key while it waits', () => {
    expect(delivery.DeliveryStreamEncryptionConfigurationInput).toMatchObject({
      KeyType: 'CUSTOMER_MANAGED_CMK',
    });
  });

  test('delivers sooner where people try things', () => {
    expect(resource(dev, 'AWS::KinesisFirehose::DeliveryStream', 'Archive')).toMatchObject({
      ExtendedS3DestinationConfiguration: { BufferingHints: { IntervalInSeconds: 60 } },
    });
  });
});

describe('bucket', () => {
  const bucket = resource(template, 'AWS::S3::Bucket', 'ArchiveBucket');

  test('keeps versions and is encrypted with the own key', () => {
    expect(bucket).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
        ],
      },
    });
  });

  test('moves the archive to cold storage and never lets it expire', () => {
    const { Rules } = bucket.LifecycleConfiguration as { Rules: Record<string, unknown>[] };
    const archive = Rules.find(({ Prefix }) => Prefix === ARCHIVE_PREFIX);
    expect(archive?.Transitions).toEqual([{ StorageClass: 'GLACIER_IR', TransitionInDays: 90 }]);
    const expiring = Rules.filter(({ ExpirationInDays }) => ExpirationInDays !== undefined);
    expect(expiring.map(({ Prefix }) => Prefix)).toEqual(['athena-results/']);
  });

  test('is tagged to be emptied with the stack in dev alone', () => {
    const tags = (of: typeof template) =>
      JSON.stringify(resource(of, 'AWS::S3::Bucket', 'ArchiveBucket').Tags);
    expect(tags(dev)).toContain('aws-cdk:auto-delete-objects');
    expect(tags(template)).not.toContain('aws-cdk:auto-delete-objects');
  });
});

test('the table over the archive computes its partitions as Firehose names them', () => {
  const { Parameters, PartitionKeys, StorageDescriptor } = resource(
    template,
    'AWS::Glue::Table',
    'ArchiveTable',
  ).TableInput as Record<string, Record<string, unknown>>;
  expect(Parameters).toMatchObject({
    'projection.enabled': 'true',
    'projection.month.digits': '2',
    'projection.hour.range': '0,23',
  });
  expect(JSON.stringify(Parameters?.['storage.location.template'])).toContain(
    `/${ARCHIVE_PREFIX}year=\${year}/month=\${month}/day=\${day}/hour=\${hour}/`,
  );
  expect(PartitionKeys).toHaveLength(4);
  expect(JSON.stringify(StorageDescriptor?.Columns)).toContain('sequencenumber');
});
