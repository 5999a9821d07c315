import type { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Cluster, ContainerInsights, type FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { appTask, infrastructureRole, network, outboundGroup, SCRATCH, SCRATCH_DIR } from './app-task.ts';
import type { SourceStream } from './event-stream.ts';
import { LIVE } from './node-function.ts';
import type { PipelineTables } from './pipeline-tables.ts';

export interface ReplayTaskProps {
  /** What tasks may do. */
  readonly role: Role;
  readonly eventStream: SourceStream;
  readonly tables: PipelineTables;
  readonly bucket: IBucket;
  readonly projector: LambdaFunction;
  readonly archiver: LambdaFunction;
  /** SQL of the IoT rule, where there is one: failed messages are redriven as it would have put them. */
  readonly iotSql: string | undefined;
  /** Paths of the projector's mapping documents: commands decode as it does. */
  readonly mappingFiles: readonly string[];
  readonly logDays: RetentionDays;
  /** Size of the disk of a task. A sort writes about as many bytes as the lines of its window have. */
  readonly operatorDiskGib: number;
}

/**
 * The operators' command line as a task on Fargate: a replay may take hours, and Lambda ends after 15 minutes. It takes the
 * arguments of `npm run ops` as its command, and costs nothing while none runs.
 */
export class ReplayTask extends Construct {
  readonly cluster: Cluster;
  readonly task: FargateTaskDefinition;
  readonly securityGroup: SecurityGroup;
  readonly vpc: Vpc;
  /** The disk of a task, as it is asked for when one is run. */
  readonly volumeConfigurations: readonly unknown[];

  constructor(scope: Construct, id: string, props: ReplayTaskProps) {
    super(scope, id);
    this.vpc = network(this, { cidr: '10.20.0.0/24', logDays: props.logDays });
    this.securityGroup = outboundGroup(this, this.vpc, 'Operators tasks: nothing comes in, TLS goes out.');
    this.cluster = new Cluster(this, 'Cluster', {
      vpc: this.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    this.task = this.taskDefinition(props);
    this.volumeConfigurations = [
      {
        name: SCRATCH,
        managedEBSVolume: {
          roleArn: infrastructureRole(this).roleArn,
          sizeInGiB: props.operatorDiskGib,
          encrypted: true,
          terminationPolicy: { deleteOnTermination: true },
        },
      },
    ];
  }

  private taskDefinition(props: ReplayTaskProps): FargateTaskDefinition {
    const { tables } = props;
    const { task } = appTask(this, {
      bundle: 'operations',
      name: 'operations',
      role: props.role,
      cpu: 1_024,
      memoryMiB: 4_096,
      args: ['--target', 'aws'],
      command: ['status', '--output', 'json'],
      environment: {
        TMPDIR: SCRATCH_DIR,
        TWINSTREAM_STREAM: props.eventStream.stream.streamName,
        TWINSTREAM_EVENTS_TABLE: tables.events.tableName,
        TWINSTREAM_DEVICE_STATE_TABLE: tables.deviceState.tableName,
        TWINSTREAM_SHARD_PROGRESS_TABLE: tables.shardProgress.tableName,
        TWINSTREAM_OPERATIONS_TABLE: tables.operations.tableName,
        TWINSTREAM_ARCHIVE_BUCKET: props.bucket.bucketName,
        TWINSTREAM_PROJECTOR_FUNCTION: `${props.projector.functionName}:${LIVE}`,
        TWINSTREAM_ARCHIVER_FUNCTION: `${props.archiver.functionName}:${LIVE}`,
        ...(props.iotSql === undefined ? {} : { TWINSTREAM_IOT_SQL: props.iotSql }),
        TWINSTREAM_FRESH_TABLES_PREFIX: tables.freshTablesPrefix,
      },
      mappingFiles: props.mappingFiles,
      logDays: props.logDays,
    });
    return task;
  }
}
