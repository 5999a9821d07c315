import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';
import { Stack } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { QUERY_RESULTS_PREFIX } from './archive.ts';

export interface ArchiveTableProps {
  readonly bucket: IBucket;
  readonly key: IKey;
  /** End of the names of database (`twinstream_…`) and work group (`twinstream-…`). */
  readonly name: string;
}

/** One line of the archive; `event` is the JSON that came, as text, to be read with json_extract. */
const COLUMNS = [
  ['shardid', 'string'],
  ['sequencenumber', 'string'],
  ['subsequencenumber', 'bigint'],
  ['arrivaltime', 'string'],
  ['partitionkey', 'string'],
  ['event', 'string'],
  ['base64', 'string'],
  ['toolarge', 'bigint'],
  ['sha256', 'string'],
] as const;

const HOURS = [
  { name: 'year', range: '2026,2060', digits: 4 },
  { name: 'month', range: '1,12', digits: 2 },
  { name: 'day', range: '1,31', digits: 2 },
  { name: 'hour', range: '0,23', digits: 2 },
] as const;

/** The archive as a table for Athena. Its partitions are computed from the query: no crawler runs, and no partition is added. */
export class ArchiveTable extends Construct {
  constructor(scope: Construct, id: string, { bucket, key, name: pipeline }: ArchiveTableProps) {
    super(scope, id);
    const catalogId = Stack.of(this).account;
    const location = `s3://${bucket.bucketName}/${ARCHIVE_PREFIX}`;
    const database = new CfnDatabase(this, 'Database', {
      catalogId,
      databaseInput: { name: `twinstream_${pipeline}`, description: 'Archive of device events.' },
    });
    const table = new CfnTable(this, 'Table', {
      catalogId,
      databaseName: `twinstream_${pipeline}`,
      tableInput: {
        name: 'archive',
        description: 'Every device event as it came, with its position in the stream.',
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: HOURS.map(({ name }) => ({ name, type: 'int' })),
        parameters: {
          classification: 'json',
          'projection.enabled': 'true',
          'storage.location.template': `${location}${HOURS.map(({ name }) => `${name}=\${${name}}`).join('/')}/`,
          ...Object.fromEntries(
            HOURS.flatMap(({ name, range, digits }) => [
              [`projection.${name}.type`, 'integer'],
              [`projection.${name}.range`, range],
              [`projection.${name}.digits`, String(digits)],
            ]),
          ),
        },
        storageDescriptor: {
          location,
          columns: COLUMNS.map(([name, type]) => ({ name, type })),
          compressed: true,
          inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
          serdeInfo: { serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
        },
      },
    });
    table.addResourceDependency(database);
    new CfnWorkGroup(this, 'WorkGroup', {
      name: `twinstream-${pipeline}`,
      description: 'Queries over the archive; results go after two weeks.',
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        resultConfiguration: {
          outputLocation: `s3://${bucket.bucketName}/${QUERY_RESULTS_PREFIX}`,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
  }
}
