import { QUARANTINE_PREFIX } from '@twinstream/pipeline-settings';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { acknowledgeObjects } from './archive.ts';
import type { SourceStream } from './event-stream.ts';
import type { Permission } from './node-function.ts';
import type { ProjectedTables } from './pipeline-tables.ts';
import { StreamConsumer, type StreamConsumerProps } from './stream-consumer.ts';

export interface ProjectorProps
  extends Pick<
    StreamConsumerProps,
    'key' | 'failureBucket' | 'logDays' | 'mapping' | 'reservedConcurrency' | 'aliasName'
  > {
  readonly eventStream: SourceStream;
  readonly tables: ProjectedTables;
  /** Paths of mapping documents. */
  readonly mappingFiles: readonly string[];
  /** Device states that a container keeps. Default: the projector's own. */
  readonly headsMax: number | undefined;
  readonly memoryMiB?: number | undefined;
}

/** One vCPU: one thread does the work, and more memory only buys more of a second one ("Configure Lambda function memory", read 2026-11). */
const MEMORY_MIB = 1_769;
/** A promotion waits this long for invocations that no longer count. */
export const PROJECTOR_TIMEOUT_SECONDS = 60;

/** Appends event pages and advances states. It adds to the events, and has no right to change or remove one. */
export class Projector extends Construct {
  readonly consumer: StreamConsumer;
  /** Its mapping documents, for others that decode as it does. */
  readonly mappings: readonly Asset[];

  constructor(scope: Construct, id: string, props: ProjectorProps) {
    super(scope, id);
    const { tables, failureBucket, mappingFiles, headsMax, memoryMiB = MEMORY_MIB } = props;
    // Each version is an asset of its own: what reads one goes on with it until the function has the next.
    this.mappings = mappingFiles.map((path, index) => new Asset(this, `Mapping${index}`, { path }));
    this.consumer = new StreamConsumer(this, 'StateProjector', {
      ...props,
      stream: props.eventStream.stream,
      bundle: 'state-projector',
      description: 'Appends event pages and advances the latest state of each device.',
      memoryMiB,
      timeoutSeconds: PROJECTOR_TIMEOUT_SECONDS,
      environment: {
        TWINSTREAM_EVENTS_TABLE: tables.events.tableName,
        TWINSTREAM_DEVICE_STATE_TABLE: tables.deviceState.tableName,
        TWINSTREAM_SHARD_PROGRESS_TABLE: tables.shardProgress.tableName,
        TWINSTREAM_OPERATIONS_TABLE: tables.operations.tableName,
        TWINSTREAM_ARCHIVE_BUCKET: failureBucket.bucketName,
        TWINSTREAM_PARALLELIZATION_FACTOR: String(props.mapping.parallelizationFactor),
        ...(headsMax === undefined ? {} : { TWINSTREAM_HEADS_MAX: String(headsMax) }),
        ...mappingEnvironment(this.mappings),
      },
      permissions: [
        ...storePermissions(tables),
        {
          sid: 'AdvanceShardProgress',
          actions: ['dynamodb:UpdateItem'],
          resources: [tables.shardProgress.tableArn],
        },
        {
          sid: 'FollowTablesInUse',
          actions: ['dynamodb:GetItem'],
          resources: [tables.operations.tableArn],
        },
        {
          sid: 'QuarantinePoison',
          actions: ['s3:PutObject'],
          resources: [failureBucket.arnForObjects(`${QUARANTINE_PREFIX}*`)],
        },
      ],
    });
    for (const mapping of this.mappings) mapping.grantRead(this.consumer.lambda);
    tables.acknowledgeFreshTables(this);
    acknowledgeObjects(
      this,
      failureBucket,
      QUARANTINE_PREFIX,
      'One object a poison record, below this prefix.',
    );
  }
}

/** Has a function decode with these mapping documents. */
export function mappingEnvironment(mappings: readonly Asset[]): Record<string, string> {
  if (mappings.length === 0) return {};
  return { TWINSTREAM_MAPPING: mappings.map(({ s3ObjectUrl }) => s3ObjectUrl).join(',') };
}

/** What appends events and advances states. An INSERT refuses a key that is taken: no right here replaces a page. */
export function storePermissions(
  tables: Pick<ProjectedTables, 'eventsArns' | 'deviceStateArns'>,
): Permission[] {
  return [
    {
      sid: 'AppendAndReadEvents',
      actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PartiQLInsert', 'dynamodb:Query'],
      resources: tables.eventsArns(),
    },
    {
      sid: 'AdvanceState',
      actions: [
        'dynamodb:BatchGetItem',
        'dynamodb:GetItem',
        'dynamodb:PartiQLInsert',
        'dynamodb:PartiQLUpdate',
      ],
      resources: tables.deviceStateArns(),
    },
  ];
}
