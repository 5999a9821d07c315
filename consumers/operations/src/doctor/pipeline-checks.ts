import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeStreamSummaryCommand, type StreamDescriptionSummary } from '@aws-sdk/client-kinesis';
import {
  type EventSourceMappingConfiguration,
  paginateListEventSourceMappings,
} from '@aws-sdk/client-lambda';
import {
  GetBucketEncryptionCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
} from '@aws-sdk/client-s3';
import { whole } from '@twinstream/command-line';
import { functionNameOf, PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { RETENTION_HOURS } from '@twinstream/stream-model';
import type { OperationsServices } from '../services.ts';
import { type Check, checked, type Finding, notChecked } from './check.ts';
import type { PlannedLoad } from './planned-load.ts';

const DEPLOY = 'deploy the stack again';

/** What a local pipeline lacks: its emulators have no such setting. */
const NOT_LOCAL = 'a local pipeline has no such setting';

export interface DoctorSubject {
  readonly services: OperationsServices;
  /** False for a local pipeline. */
  readonly isAws: boolean;
  readonly load: PlannedLoad | undefined;
  readonly signal: AbortSignal;
}

/** A stream as Kinesis describes it. */
export type DescribedStream = Partial<StreamDescriptionSummary>;

/** Fails where there is no such stream. */
export async function describeStream({ services, signal }: DoctorSubject): Promise<DescribedStream> {
  const { streamName: StreamName } = services.configuration;
  const { StreamDescriptionSummary: summary = {} } = await services.kinesis.send(
    new DescribeStreamSummaryCommand({ StreamName }),
    { abortSignal: signal },
  );
  return summary;
}

/** Retention, mode and encryption of the stream. */
export async function streamChecks(
  subject: DoctorSubject,
  summary: DescribedStream,
): Promise<readonly Check[]> {
  const { streamName } = subject.services.configuration;
  const stream = `stream ${streamName}`;
  const { RetentionPeriodHours: hours = 0, OpenShardCount: shards = 0 } = summary;
  const mode = summary.StreamModeDetails?.StreamMode ?? 'PROVISIONED';
  const wanted = subject.load?.shards ?? 0;
  const isEnough = mode === 'ON_DEMAND' || shards >= wanted;
  const against = subject.load === undefined ? '' : ` of ${whole(wanted)} planned`;
  return [
    await checked('stream-retention', stream, async () => ({
      isOk: hours >= RETENTION_HOURS,
      found: `${hours} h`,
      remedy: `aws kinesis increase-stream-retention-period --stream-name ${streamName} --retention-period-hours ${RETENTION_HOURS}`,
    })),
    await checked('stream-mode', stream, async () => ({
      isOk: isEnough,
      found: mode === 'ON_DEMAND' ? 'on demand' : `provisioned, ${whole(shards)} open shards${against}`,
      remedy: `aws kinesis update-shard-count --stream-name ${streamName} --scaling-type UNIFORM_SCALING --target-shard-count ${wanted}`,
    })),
    subject.isAws
      ? await checked('stream-encryption', stream, async () => ({
          isOk: summary.EncryptionType === 'KMS',
          found: summary.EncryptionType ?? 'none',
          remedy: DEPLOY,
        }))
      : notChecked('stream-encryption', stream, NOT_LOCAL),
  ];
}

/** Every event source mapping of the stream, and whether the projector has one. */
export async function mappingChecks(
  { services, signal }: DoctorSubject,
  { StreamARN }: DescribedStream,
): Promise<readonly Check[]> {
  const { projectorFunction } = services.configuration;
  const mappings: EventSourceMappingConfiguration[] = [];
  const pages = paginateListEventSourceMappings(
    { client: services.lambda },
    { EventSourceArn: StreamARN },
    { abortSignal: signal },
  );
  for await (const { EventSourceMappings = [] } of pages) mappings.push(...EventSourceMappings);
  const functionOf = ({ FunctionArn = '' }: EventSourceMappingConfiguration) => functionNameOf(FunctionArn);
  const projector = mappings.some((mapping) => functionOf(mapping) === functionNameOf(projectorFunction));
  return [
    await checked('projector-mapping', `function ${projectorFunction}`, async () => ({
      isOk: projector,
      found: projector ? 'is fed by the stream' : 'no mapping feeds it from the stream',
      remedy: `set TWINSTREAM_PROJECTOR_FUNCTION, or ${DEPLOY}`,
    })),
    ...(await Promise.all(
      mappings.flatMap((mapping) => {
        const fed = `mapping of ${functionOf(mapping)}`;
        return [
          checked('mapping-state', fed, async () => stateOf(mapping)),
          checked('mapping-settings', fed, async () => settingsOf(mapping)),
        ];
      }),
    )),
  ];
}

function stateOf({
  State = 'unknown',
  UUID,
  LastProcessingResult: last,
}: EventSourceMappingConfiguration): Finding {
  return {
    isOk: State === 'Enabled',
    found: last === undefined ? State : `${State}, last result: ${last}`,
    remedy: `npx twinstream ops status says whether a job has paused it; aws lambda update-event-source-mapping --uuid ${UUID} --enabled`,
  };
}

/** The settings without which an outage or a poison record becomes a loss, a stop or a repair. */
function settingsOf(mapping: EventSourceMappingConfiguration): Finding {
  const wanted = PROJECT_MAPPING_SETTINGS;
  const reports = mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false;
  const settings: readonly (readonly [string, unknown, unknown])[] = [
    ['FunctionResponseTypes with ReportBatchItemFailures', reports, wanted.reportBatchItemFailures],
    [
      'BisectBatchOnFunctionError',
      mapping.BisectBatchOnFunctionError ?? false,
      wanted.bisectBatchOnFunctionError,
    ],
    ['MaximumRetryAttempts', mapping.MaximumRetryAttempts ?? -1, wanted.retryAttemptsMax],
    ['MaximumRecordAgeInSeconds', mapping.MaximumRecordAgeInSeconds ?? -1, wanted.recordAgeSecondsMax],
    ['ParallelizationFactor', mapping.ParallelizationFactor ?? 1, wanted.parallelizationFactor],
    ['BatchSize', mapping.BatchSize, wanted.batchSize],
    ['a destination on failure', mapping.DestinationConfig?.OnFailure?.Destination !== undefined, true],
  ];
  const wrong = settings.filter(([, found, right]) => found !== right);
  return {
    isOk: wrong.length === 0,
    found:
      wrong.length === 0
        ? `${settings.length} settings as this project sets them`
        : wrong.map(([name, found, right]) => `${name}: ${found}, not ${right}`).join('; '),
    remedy: `${DEPLOY}, or aws lambda update-event-source-mapping --uuid ${mapping.UUID}`,
  };
}

/** Recovery and deletion protection of the tables in use, whatever generation that is. */
export async function tableChecks(subject: DoctorSubject): Promise<readonly Check[]> {
  const { services, signal } = subject;
  const { eventsTable, deviceStateTable } = await services.generation(signal);
  const { shardProgressTable, operationsTable } = services.configuration;
  const tables = [eventsTable, deviceStateTable, shardProgressTable, operationsTable];
  const checks = await Promise.all(tables.map((TableName) => checksOfTable(subject, TableName)));
  return checks.flat();
}

async function checksOfTable(
  { services: { dynamoDb }, isAws, signal }: DoctorSubject,
  TableName: string,
): Promise<readonly Check[]> {
  const table = `table ${TableName}`;
  const options = { abortSignal: signal };
  let isProtected = false;
  const state = await checked(
    'table-status',
    table,
    async () => {
      const { Table: described } = await dynamoDb.send(new DescribeTableCommand({ TableName }), options);
      isProtected = described?.DeletionProtectionEnabled === true;
      return {
        isOk: described?.TableStatus === 'ACTIVE',
        found: described?.TableStatus ?? 'unknown',
        remedy: `wait, and see aws dynamodb describe-table --table-name ${TableName}`,
      };
    },
    { absent: ['ResourceNotFoundException'], remedy: `set the variables that name the tables, or ${DEPLOY}` },
  );
  if (state.status !== 'ok' || !isAws) {
    const why = isAws ? `the table is ${state.found}` : NOT_LOCAL;
    return [
      state,
      notChecked('table-recovery', table, why),
      notChecked('table-deletion-protection', table, why),
    ];
  }
  return [
    state,
    await checked('table-recovery', table, async () => {
      const { ContinuousBackupsDescription: backups } = await dynamoDb.send(
        new DescribeContinuousBackupsCommand({ TableName }),
        options,
      );
      const { PointInTimeRecoveryStatus: status = 'DISABLED' } =
        backups?.PointInTimeRecoveryDescription ?? {};
      return {
        isOk: status === 'ENABLED',
        found: `point-in-time recovery ${status}`,
        remedy: `aws dynamodb update-continuous-backups --table-name ${TableName} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`,
      };
    }),
    await checked('table-deletion-protection', table, async () => ({
      isOk: isProtected,
      found: isProtected ? 'on' : 'off',
      remedy: `aws dynamodb update-table --table-name ${TableName} --deletion-protection-enabled`,
    })),
  ];
}

/** Existence, public access and encryption of the archive bucket. */
export async function bucketChecks({ services, isAws, signal }: DoctorSubject): Promise<readonly Check[]> {
  const { archiveBucket: Bucket } = services.configuration;
  const bucket = `bucket ${Bucket}`;
  const options = { abortSignal: signal };
  const { s3 } = services;
  const exists = await checked(
    'bucket',
    bucket,
    async () => {
      await s3.send(new HeadBucketCommand({ Bucket }), options);
      return { isOk: true, found: 'exists', remedy: '' };
    },
    { absent: ['NotFound', 'NoSuchBucket'], remedy: `set TWINSTREAM_ARCHIVE_BUCKET, or ${DEPLOY}` },
  );
  if (exists.status !== 'ok' || !isAws) {
    const why = isAws ? 'the bucket is not there to ask' : NOT_LOCAL;
    return [
      exists,
      notChecked('bucket-public-access', bucket, why),
      notChecked('bucket-encryption', bucket, why),
    ];
  }
  const block = `aws s3api put-public-access-block --bucket ${Bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true`;
  return [
    exists,
    await checked(
      'bucket-public-access',
      bucket,
      async () => {
        const { PublicAccessBlockConfiguration: given } = await s3.send(
          new GetPublicAccessBlockCommand({ Bucket }),
          options,
        );
        const parts = {
          BlockPublicAcls: given?.BlockPublicAcls,
          IgnorePublicAcls: given?.IgnorePublicAcls,
          BlockPublicPolicy: given?.BlockPublicPolicy,
          RestrictPublicBuckets: given?.RestrictPublicBuckets,
        };
        const open = Object.entries(parts).filter(([, isSet]) => isSet !== true);
        return {
          isOk: open.length === 0,
          found: open.length === 0 ? 'blocked' : `without ${open.map(([name]) => name).join(', ')}`,
          remedy: block,
        };
      },
      { absent: ['NoSuchPublicAccessBlockConfiguration'], remedy: block },
    ),
    await checked(
      'bucket-encryption',
      bucket,
      async () => {
        const { ServerSideEncryptionConfiguration: given } = await s3.send(
          new GetBucketEncryptionCommand({ Bucket }),
          options,
        );
        const algorithms = (given?.Rules ?? []).flatMap(
          ({ ApplyServerSideEncryptionByDefault: rule }) => rule?.SSEAlgorithm ?? [],
        );
        return {
          isOk: algorithms.includes('aws:kms') || algorithms.includes('aws:kms:dsse'),
          found: algorithms.join(', ') || 'not set',
          remedy: DEPLOY,
        };
      },
      { absent: ['ServerSideEncryptionConfigurationNotFoundError'], remedy: DEPLOY },
    ),
  ];
}
