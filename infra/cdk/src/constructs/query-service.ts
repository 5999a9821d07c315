import { SERVICE_TASKS, SERVICE_VCPUS } from '@twinstream/capacity';
import { SAVED_VIEW_KEY } from '@twinstream/pipeline-settings';
import { Duration, Size, Validations } from 'aws-cdk-lib';
import { Peer, Port, SecurityGroup, SubnetType, type Vpc } from 'aws-cdk-lib/aws-ec2';
import { Cluster, ContainerInsights, FargateService, ServiceManagedVolume } from 'aws-cdk-lib/aws-ecs';
import {
  type ApplicationListener,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  type ApplicationTargetGroup,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Role } from 'aws-cdk-lib/aws-iam';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { ApiAccess } from './api-access.ts';
import { appTask, infrastructureRole, network, outboundGroup, SCRATCH } from './app-task.ts';
import { type Permission, policyDocument, serviceOfAccount } from './node-function.ts';

/** The long-lived API that answers for the fleet: its size follows from the number of devices. */
export interface FleetService {
  readonly access: Extract<ApiAccess, { kind: 'jwt' }>;
  readonly deviceCount: number;
  readonly memoryMiB: number;
}

export interface QueryServiceProps {
  readonly service: FleetService;
  readonly environment: Readonly<Record<string, string>>;
  readonly permissions: readonly Permission[];
  readonly bucketArn: string;
  readonly mappingFiles: readonly string[];
  readonly keepsData: boolean;
  readonly logDays: RetentionDays;
}

const PORT = 8_080;
const HTTP_PORT = 80;
/** Units of CPU of one vCPU. */
const VCPU = 1_024;
/** Of the memory of a task, what the heap may take: columns stand outside of it. */
const HEAP_SHARE = 0.6;
/** Time for a view to be saved when a task ends; ECS gives up to two minutes ("stopTimeout", read 2026-12). */
const STOP_SECONDS = 120;
/** A list's order is kept for five minutes after its last page: its next page must reach the same task until then. */
const STICKY_MINUTES = 10;
/** Update streams send something at least every ten seconds. */
const IDLE_SECONDS = 60;
/** What a first start takes, which has no saved view: twice the 148 µs a device of reading the table, and the start itself. */
const FIRST_START = { seconds: 180, secondsPerDevice: 0.0003 } as const;
const CIDR = '10.21.0.0/24';

/** The long-lived API: tasks that hold the fleet, behind a load balancer that nobody reaches from outside. */
export class QueryService extends Construct {
  readonly vpc: Vpc;
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly listener: ApplicationListener;
  readonly targets: ApplicationTargetGroup;
  readonly service: FargateService;

  constructor(scope: Construct, id: string, props: QueryServiceProps) {
    super(scope, id);
    // CloudFront and the API reach a load balancer in private subnets alone ("Restrict access with VPC origins", read 2026-12).
    const subnets = [{ name: 'balancer', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 27 }];
    this.vpc = network(this, { cidr: CIDR, subnets, logDays: props.logDays });
    const tasksGroup = outboundGroup(
      this,
      this.vpc,
      'Query tasks: the load balancer comes in, TLS goes out.',
    );
    const balancerGroup = new SecurityGroup(this, 'BalancerGroup', {
      vpc: this.vpc,
      description:
        'Comes from within the VPC, where CloudFront and the API have interfaces; goes to the tasks.',
      allowAllOutbound: false,
    });
    balancerGroup.addIngressRule(Peer.ipv4(CIDR), Port.tcp(HTTP_PORT), 'CloudFront and the API');
    balancerGroup.connections.allowTo(tasksGroup, Port.tcp(PORT), 'Tasks');
    this.loadBalancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc: this.vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      internetFacing: false,
      securityGroup: balancerGroup,
      dropInvalidHeaderFields: true,
      idleTimeout: Duration.seconds(IDLE_SECONDS),
      deletionProtection: props.keepsData,
    });
    Validations.of(this.loadBalancer).acknowledge({
      id: 'AwsSolutions-ELB2',
      reason: 'CloudFront and the HTTP API, by which alone it is reached, log each request.',
    });
    this.listener = this.loadBalancer.addListener('Http', {
      port: HTTP_PORT,
      protocol: ApplicationProtocol.HTTP,
      open: false,
    });
    this.service = this.fargateService(props, tasksGroup);
    this.targets = this.listener.addTargets('Tasks', {
      port: PORT,
      protocol: ApplicationProtocol.HTTP,
      targets: [this.service],
      healthCheck: {
        path: '/readyz',
        interval: Duration.seconds(10),
        timeout: Duration.seconds(6),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
      },
      stickinessCookieDuration: Duration.minutes(STICKY_MINUTES),
      deregistrationDelay: Duration.seconds(30),
    });
  }

  private fargateService(props: QueryServiceProps, tasksGroup: SecurityGroup): FargateService {
    const { service, environment } = props;
    const role = new Role(this, 'Role', {
      assumedBy: serviceOfAccount(this, 'ecs-tasks.amazonaws.com'),
      inlinePolicies: {
        permissions: policyDocument([...props.permissions, ...savedViewPermissions(props.bucketArn)]),
      },
    });
    const { task, app } = appTask(this, {
      bundle: 'query-service',
      name: 'query-api',
      role,
      cpu: SERVICE_VCPUS * VCPU,
      memoryMiB: service.memoryMiB,
      nodeFlags: [
        '--disable-warning=ExperimentalWarning',
        `--max-old-space-size=${Math.floor(service.memoryMiB * HEAP_SHARE)}`,
      ],
      environment: {
        ...environment,
        TWINSTREAM_API_PORT: String(PORT),
        TWINSTREAM_JWT_ISSUER: service.access.issuer,
        TWINSTREAM_JWT_AUDIENCE: service.access.audience.join(','),
      },
      mappingFiles: props.mappingFiles,
      logDays: props.logDays,
      stopTimeout: Duration.seconds(STOP_SECONDS),
      healthCheck: {
        command: [
          'CMD',
          'node',
          '-e',
          `fetch('http://127.0.0.1:${PORT}/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`,
        ],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(10),
        retries: 3,
        startPeriod: Duration.seconds(60),
      },
    });
    app.addPortMappings({ containerPort: PORT });
    const seconds = FIRST_START.seconds + service.deviceCount * FIRST_START.secondsPerDevice;
    const made = new FargateService(this, 'Service', {
      cluster: new Cluster(this, 'Cluster', {
        vpc: this.vpc,
        containerInsightsV2: ContainerInsights.ENABLED,
      }),
      taskDefinition: task,
      desiredCount: SERVICE_TASKS,
      // Public subnets without a way in: a NAT gateway would cost more than the tasks.
      assignPublicIp: true,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      securityGroups: [tasksGroup],
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      healthCheckGracePeriod: Duration.seconds(Math.ceil(seconds)),
    });
    made.addVolume(
      new ServiceManagedVolume(this, 'Disk', {
        name: SCRATCH,
        managedEBSVolume: {
          role: infrastructureRole(this),
          size: Size.gibibytes(1),
          encrypted: true,
        },
      }),
    );
    return made;
  }
}

/** What the tasks may do beyond the function that reads: keep its view. */
function savedViewPermissions(bucketArn: string): Permission[] {
  return [
    {
      sid: 'KeepView',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [`${bucketArn}/${SAVED_VIEW_KEY}`],
    },
    {
      // Where there is no object S3 says so to those alone who may list ("HeadObject", API reference, read 2026-12).
      sid: 'FindView',
      actions: ['s3:ListBucket'],
      resources: [bucketArn],
      conditions: { StringEquals: { 's3:prefix': [SAVED_VIEW_KEY] } },
    },
  ];
}
