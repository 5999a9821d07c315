import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { BundleName } from '../code-folders.ts';
import { BUNDLE_FILE, codeFolder } from '../code-folders.ts';

/** What a role may do. Each statement has a name that says why it is there. */
export interface Permission {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, unknown>>;
}

export interface NodeFunctionProps {
  readonly bundle: BundleName;
  readonly description: string;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  /** Invocations kept for this function, and no more; as many as the account has left where undefined. */
  readonly reservedConcurrency?: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly permissions: readonly Permission[];
  readonly logDays: RetentionDays;
  /** Default: {@link LIVE}. */
  readonly aliasName?: string | undefined;
}

/** A role may do what its permissions say, and nothing else: no managed policy is attached. */
export function policyDocument(permissions: readonly Permission[]): PolicyDocument {
  return new PolicyDocument({
    statements: permissions.map(
      ({ sid, actions, resources, conditions }) =>
        new PolicyStatement({
          sid,
          effect: Effect.ALLOW,
          actions: [...actions],
          resources: [...resources],
          ...(conditions === undefined ? {} : { conditions: { ...conditions } }),
        }),
    ),
  });
}

/** A service that acts on behalf of the account of the stack alone ("The confused deputy problem", IAM user guide; "Working with AWS managed policies in the execution role", Lambda developer guide, read 2026-12). */
export function serviceOfAccount(scope: Construct, service: string): ServicePrincipal {
  return new ServicePrincipal(service, {
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  });
}

/** The alias by which functions are invoked, unless another is asked for. */
export const LIVE = 'live';

/** What is deployed of a function: where it is invoked, and what is behind that. */
export type DeployedFunction = Pick<NodeFunction, 'lambda' | 'live'>;

/**
 * A function of Node on arm64 with its bundle, its own log group and its own role. Code, settings and variables of a deployment are a
 * version, which does not change; the alias names the version in use, and while a deployment shifts, two.
 */
export class NodeFunction extends Construct {
  readonly lambda: LambdaFunction;
  /** What callers and mappings invoke. */
  readonly live: Alias;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', {
      assumedBy: serviceOfAccount(this, 'lambda.amazonaws.com'),
      inlinePolicies: {
        logs: policyDocument([
          {
            sid: 'WriteOwnLogs',
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [logGroup.logGroupArn],
          },
        ]),
        work: policyDocument(props.permissions),
      },
    });
    this.lambda = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(codeFolder(this, props.bundle)),
      handler: `${BUNDLE_FILE.replace(/\.mjs$/, '')}.handler`,
      memorySize: props.memoryMiB,
      timeout: Duration.seconds(props.timeoutSeconds),
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      role,
      logGroup,
      // Versions go with their function. Until then each is a step back that needs no build.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    });
    this.live = new Alias(this, 'Live', {
      aliasName: props.aliasName ?? LIVE,
      version: this.lambda.currentVersion,
    });
  }
}
