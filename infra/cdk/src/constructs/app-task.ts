import { join } from 'node:path';
import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  type SubnetConfiguration,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import {
  type ContainerDefinition,
  ContainerDependencyCondition,
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  type HealthCheck,
  LogDriver,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import { ManagedPolicy, Policy, Role } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import type { BundleName } from '../code-folders.ts';
import { BUNDLE_FILE, codeFolder } from '../code-folders.ts';
import { policyDocument, serviceOfAccount } from './node-function.ts';

/** Images of Docker's official library and of AWS, from AWS's own public registry. The code comes beside them, so that nothing is built. */
const NODE_IMAGE = 'public.ecr.aws/docker/library/node:24-slim';
const AWS_CLI_IMAGE = 'public.ecr.aws/aws-cli/aws-cli:2.31.0';
/** The disk of a task: its code, and what it writes. Nothing else can be written. */
export const SCRATCH = 'scratch';
export const SCRATCH_DIR = '/scratch';
const APP_DIR = `${SCRATCH_DIR}/app`;
/** User and group `node` of the image. Numbers, so that ECS knows them without the image. */
const USER = '1000:1000';
const HTTPS_PORT = 443;

export interface AppTaskProps {
  readonly bundle: BundleName;
  /** Of the container, and of its log streams. */
  readonly name: string;
  /** What the app may do. */
  readonly role: Role;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly nodeFlags?: readonly string[];
  /** Arguments that always stand before the command. */
  readonly args?: readonly string[];
  readonly command?: string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Paths of the projector's mapping documents: the app decodes as it does. */
  readonly mappingFiles: readonly string[];
  readonly logDays: RetentionDays;
  /** How long the app may take to end. Default: 30 s, as ECS has it. */
  readonly stopTimeout?: Duration;
  readonly healthCheck?: HealthCheck;
}

/**
 * A bundled app as a task on Fargate: no image is built, the code is fetched onto the task's disk. Containers run without
 * root on a file system that they only read, but for that disk.
 */
export function appTask(
  scope: Construct,
  props: AppTaskProps,
): { readonly task: FargateTaskDefinition; readonly app: ContainerDefinition } {
  const folder = codeFolder(scope, props.bundle);
  const files = [BUNDLE_FILE, `${BUNDLE_FILE}.map`].map((name, index) => ({
    name,
    asset: new Asset(scope, index === 0 ? 'App' : 'AppSourceMap', { path: join(folder, name) }),
  }));
  const mappings = props.mappingFiles.map((path, index) => new Asset(scope, `Mapping${index}`, { path }));
  new Policy(scope, 'FetchApp', {
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
  const task = new FargateTaskDefinition(scope, 'Task', {
    cpu: props.cpu,
    memoryLimitMiB: props.memoryMiB,
    runtimePlatform: {
      cpuArchitecture: CpuArchitecture.ARM64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
    taskRole: props.role,
    executionRole: new Role(scope, 'ExecutionRole', {
      assumedBy: serviceOfAccount(scope, 'ecs-tasks.amazonaws.com'),
    }),
    // ECS opens it to the user of the containers; a bind mount would belong to root.
    volumes: [{ name: SCRATCH, configuredAtLaunch: true }],
  });
  const logging = LogDriver.awsLogs({
    streamPrefix: props.name,
    logGroup: new LogGroup(scope, 'Logs', {
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
  const app = task.addContainer(props.name, {
    image: ContainerImage.fromRegistry(NODE_IMAGE),
    entryPoint: [
      'node',
      '--enable-source-maps',
      ...(props.nodeFlags ?? []),
      `${APP_DIR}/${BUNDLE_FILE}`,
      ...(props.args ?? []),
    ],
    ...(props.command === undefined ? {} : { command: props.command }),
    ...(props.stopTimeout === undefined ? {} : { stopTimeout: props.stopTimeout }),
    ...(props.healthCheck === undefined ? {} : { healthCheck: props.healthCheck }),
    user: USER,
    readonlyRootFilesystem: true,
    environment: {
      AWS_REGION: task.env.region,
      ...props.environment,
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
  return { task, app };
}

/** Makes, attaches and deletes the disks of tasks ("Amazon ECS infrastructure IAM role", developer guide, read 2026-12). */
export function infrastructureRole(scope: Construct): Role {
  const role = new Role(scope, 'InfrastructureRole', {
    assumedBy: serviceOfAccount(scope, 'ecs.amazonaws.com'),
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
export function network(
  scope: Construct,
  props: {
    readonly cidr: string;
    readonly subnets?: readonly SubnetConfiguration[];
    readonly logDays: RetentionDays;
  },
): Vpc {
  const vpc = new Vpc(scope, 'Vpc', {
    ipAddresses: IpAddresses.cidr(props.cidr),
    maxAzs: 2,
    natGateways: 0,
    restrictDefaultSecurityGroup: false,
    subnetConfiguration: [
      { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false },
      ...(props.subnets ?? []),
    ],
    gatewayEndpoints: {
      S3: { service: GatewayVpcEndpointAwsService.S3 },
      DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
    },
  });
  vpc.addFlowLog('FlowLog', {
    destination: FlowLogDestination.toCloudWatchLogs(
      new LogGroup(scope, 'FlowLogs', { retention: props.logDays, removalPolicy: RemovalPolicy.DESTROY }),
      new Role(scope, 'FlowLogRole', { assumedBy: serviceOfAccount(scope, 'vpc-flow-logs.amazonaws.com') }),
    ),
  });
  return vpc;
}

/** Nothing comes in, TLS goes out. */
export function outboundGroup(scope: Construct, vpc: Vpc, description: string): SecurityGroup {
  const group = new SecurityGroup(scope, 'SecurityGroup', { vpc, description, allowAllOutbound: false });
  group.addEgressRule(Peer.anyIpv4(), Port.tcp(HTTPS_PORT), 'APIs of AWS');
  return group;
}
