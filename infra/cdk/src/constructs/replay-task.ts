import { join } from 'node:path';
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import {
  Cluster,
  ContainerDependencyCondition,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateTaskDefinition,
  LogDriver,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import { ManagedPolicy, Policy, Role } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { BUNDLE_FILE, codeFolder } from '../bundles.ts';
import type { EventStream } from './event-stream.ts';
import { LIVE, policyDocument, serviceOfAccount } from './node-function.ts';
import type { StateTables } from './state-tables.ts';

export interface ReplayTaskProps {
  /** What tasks may do. */
  readonly role: Role;
  readonly eventStream: EventStream;
  readonly tables: StateTables;
  readonly bucket: Bucket;
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

/** Images of Docker's official library and of AWS, from AWS's own public registry. The code comes beside them, so that nothing is built. */
const NODE_IMAGE = 'public.ecr.aws/docker/library/node:24-slim';
const AWS_CLI_IMAGE = 'public.ecr.aws/aws-cli/aws-cli:2.31.0';
/** The disk of a task: its code, and what a replay sorts. Nothing else can be written. */
const SCRATCH = 'scratch';
const SCRATCH_DIR = '/scratch';
const APP_DIR = `${SCRATCH_DIR}/app`;
/** User and group `node` of the image. Numbers, so that ECS knows them without the image. */
const USER = '1000:1000';
const HTTPS_PORT = 443;

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
    this.vpc = this.network(props.logDays);
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: this.vpc,
      description: 'Operators tasks: nothing comes in, TLS goes out.',
      allowAllOutbound: false,
    });
    this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(HTTPS_PORT), 'APIs of AWS');
    this.cluster = new Cluster(this, 'Cluster', {
      vpc: this.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    this.task = this.taskDefinition(props);
    this.volumeConfigurations = [
      {
        name: SCRATCH,
        managedEBSVolume: {
          roleArn: this.infrastructureRole().roleArn,
          sizeInGiB: props.operatorDiskGib,
          encrypted: true,
          terminationPolicy: { deleteOnTermination: true },
        },
      },
    ];
  }

  /** Makes, attaches and deletes the disks of tasks ("Amazon ECS infrastructure IAM role", developer guide, read 2026-12). */
  private infrastructureRole(): Role {
    const role = new Role(this, 'InfrastructureRole', {
      assumedBy: serviceOfAccount(this, 'ecs.amazonaws.com'),
      managedPolicies: [
        ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonECSInfrastructureRolePolicyForVolumes'),
      ],
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonECSInfrastructureRolePolicyForVolumes]',
      reason:
        'The policy that ECS documents for this role: it reaches volumes alone that ECS itself has made and tagged.',
    });
    return role;
  }

  /** Public subnets without a way in: a NAT gateway would cost more than all replays. */
  private network(logDays: RetentionDays): Vpc {
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.20.0.0/24'),
      maxAzs: 2,
      natGateways: 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false },
      ],
      gatewayEndpoints: {
        S3: { service: GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
    });
    vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(
        new LogGroup(this, 'FlowLogs', { retention: logDays, removalPolicy: RemovalPolicy.DESTROY }),
        new Role(this, 'FlowLogRole', { assumedBy: serviceOfAccount(this, 'vpc-flow-logs.amazonaws.com') }),
      ),
    });
    return vpc;
  }

  private taskDefinition(props: ReplayTaskProps): FargateTaskDefinition {
    const { tables } = props;
    const folder = codeFolder(this, 'operations');
    const files = [BUNDLE_FILE, `${BUNDLE_FILE}.map`].map((name, index) => ({
      name,
      asset: new Asset(this, index === 0 ? 'App' : 'AppSourceMap', { path: join(folder, name) }),
    }));
    const mappings = props.mappingFiles.map((path, index) => new Asset(this, `Mapping${index}`, { path }));
    new Policy(this, 'FetchApp', {
      roles: [props.role],
      document: policyDocument([
        {
          sid: 'FetchApp',
          actions: ['s3:GetObject'],
          resources: [...files.map(({ asset }) => asset), ...mappings].map(({ bucket, s3ObjectKey }) =>
            bucket.arnForObjects(s3ObjectKey),
          ),
        },
      ]),
    });
    const task = new FargateTaskDefinition(this, 'Task', {
      cpu: 1_024,
      memoryLimitMiB: 4_096,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
      taskRole: props.role,
      executionRole: new Role(this, 'ExecutionRole', {
        assumedBy: serviceOfAccount(this, 'ecs-tasks.amazonaws.com'),
      }),
      // ECS opens it to the user of the containers; a bind mount would belong to root.
      volumes: [{ name: SCRATCH, configuredAtLaunch: true }],
    });
    const logging = LogDriver.awsLogs({
      streamPrefix: 'operations',
      logGroup: new LogGroup(this, 'Logs', {
        retention: props.logDays,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    });
    const fetcher = task.addContainer('fetch-app', {
      image: ContainerImage.fromRegistry(AWS_CLI_IMAGE),
      essential: false,
      user: USER,
      readonlyRootFilesystem: true,
      environment: { HOME: SCRATCH_DIR },
      entryPoint: ['sh', '-ec'],
      command: [
        [
          `mkdir ${APP_DIR}`,
          ...files.map(({ name, asset }) => `aws s3 cp ${asset.s3ObjectUrl} ${APP_DIR}/${name}`),
        ].join('\n'),
      ],
      logging,
    });
    const disk = { sourceVolume: SCRATCH, containerPath: SCRATCH_DIR, readOnly: false };
    fetcher.addMountPoints(disk);
    const app = task.addContainer('operations', {
      image: ContainerImage.fromRegistry(NODE_IMAGE),
      entryPoint: ['node', '--enable-source-maps', `${APP_DIR}/${BUNDLE_FILE}`, '--target', 'aws'],
      command: ['status', '--output', 'json'],
      user: USER,
      readonlyRootFilesystem: true,
      environment: {
        TMPDIR: SCRATCH_DIR,
        AWS_REGION: task.env.region,
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
        ...(mappings.length === 0
          ? {}
          : { TWINSTREAM_MAPPING: mappings.map(({ s3ObjectUrl }) => s3ObjectUrl).join(',') }),
      },
      logging,
    });
    app.addMountPoints(disk);
    app.addContainerDependencies({ container: fetcher, condition: ContainerDependencyCondition.SUCCESS });
    Validations.of(task).acknowledge({
      id: 'AwsSolutions-ECS2',
      reason: 'The variables are names of this stack, no secrets: a parameter store would only hide them.',
    });
    return task;
  }
}
