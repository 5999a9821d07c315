import {
  ARCHIVE_PREFIX,
  FAILED_BATCHES_PREFIX,
  IOT_ERRORS_PREFIX,
  QUARANTINE_PREFIX,
  REDRIVEN_PREFIX,
  RESOLVED_PREFIX,
} from '@twinstream/pipeline-settings';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { AccountRootPrincipal, Effect, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeObjects } from './archive.ts';
import type { SourceStream } from './event-stream.ts';
import { type DeployedFunction, type Permission, policyDocument, serviceOfAccount } from './node-function.ts';
import type { PipelineTables } from './pipeline-tables.ts';

export interface OperatorRoleProps {
  readonly key: IKey;
  readonly eventStream: SourceStream;
  readonly tables: PipelineTables;
  readonly bucket: IBucket;
  readonly projector: DeployedFunction;
  readonly archiver: DeployedFunction;
}

/** What can be redriven: given-up batches, and messages that the IoT rule could not put on the stream. */
const FAILED_PREFIXES = [FAILED_BATCHES_PREFIX, IOT_ERRORS_PREFIX];
/** What replays, verifications and redrives read: the archive, dead letters, those that were resolved, and what failed. */
const READ_PREFIXES = [ARCHIVE_PREFIX, QUARANTINE_PREFIX, RESOLVED_PREFIX, ...FAILED_PREFIXES];

/** What the operators' tasks may do. It stands with the data that it is about; the tasks have a stack of their own. */
export class OperatorRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: OperatorRoleProps) {
    super(scope, id);
    this.role = new Role(this, 'Role', {
      description: 'Replays, verifies, repairs, promotes.',
      assumedBy: serviceOfAccount(this, 'ecs-tasks.amazonaws.com'),
      inlinePolicies: { work: policyDocument(permissions(props)), ...keepProtection(this, props.tables) },
    });
    acknowledgeRights(this, props);
  }
}

/**
 * What protects fresh tables is set by who makes them, and by nobody any more once they are in use: a policy of a table could allow
 * what no role allows, and a recovery to a point in time that is off and on again has forgotten what was before.
 */
function keepProtection(scope: Construct, { inUse, events }: PipelineTables): Record<string, PolicyDocument> {
  // Tables of the stack are not fresh: no role may change what protects them.
  if (inUse.events === events.tableName) return {};
  const resources = [inUse.events, inUse.deviceState].map((resourceName) =>
    Stack.of(scope).formatArn({ service: 'dynamodb', resource: 'table', resourceName }),
  );
  const statement = new PolicyStatement({
    sid: 'KeepProtectionOfTablesInUse',
    effect: Effect.DENY,
    actions: ['dynamodb:PutResourcePolicy', 'dynamodb:UpdateContinuousBackups'],
    resources,
  });
  return { keepProtection: new PolicyDocument({ statements: [statement] }) };
}

const EMERGENCY_HOURS = 1;

/**
 * Replaces pages that cannot be read, on top of what operators may do: the one role that the table of events lets do so. Nobody
 * has it lastingly: people of the account assume it, if IAM allows them to, for an hour.
 */
export class BreakGlassRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: OperatorRoleProps) {
    super(scope, id);
    const { tables } = props;
    this.role = new Role(this, 'Role', {
      roleName: tables.breakGlassRoleName,
      description: 'Emergencies: replaces damaged pages of events.',
      assumedBy: new AccountRootPrincipal(),
      maxSessionDuration: Duration.hours(EMERGENCY_HOURS),
      inlinePolicies: {
        work: policyDocument([
          ...permissions(props),
          { sid: 'ReplacePages', actions: ['dynamodb:PutItem'], resources: tables.eventsArns() },
        ]),
      },
    });
    acknowledgeRights(this, props);
  }
}

function acknowledgeRights(scope: Construct, { tables, bucket }: OperatorRoleProps): void {
  tables.acknowledgeFreshTables(scope);
  for (const prefix of READ_PREFIXES) {
    acknowledgeObjects(
      scope,
      bucket,
      prefix,
      'Replays, verifications and redrives read every object below this prefix.',
    );
  }
  acknowledgeObjects(scope, bucket, REDRIVEN_PREFIX, 'One object a redriven document, below this prefix.');
  Validations.of(scope).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Lambda has no resource to name when mappings are listed; to change one is tied to the projector by a condition.',
  });
}

/** What replaying, verifying, repairing and promoting take. Events may be added to here, too, and never changed: to replace a page that is damaged takes a right that nobody has lastingly. */
function permissions({
  key,
  eventStream,
  tables,
  bucket,
  projector,
  archiver,
}: OperatorRoleProps): Permission[] {
  const fresh = [...tables.eventsArns().slice(1), ...tables.deviceStateArns().slice(1)];
  return [
    {
      sid: 'ReadStream',
      actions: [
        'kinesis:DescribeStreamSummary',
        'kinesis:GetRecords',
        'kinesis:GetShardIterator',
        'kinesis:ListShards',
        'kinesis:PutRecords',
      ],
      resources: [eventStream.stream.streamArn],
    },
    {
      sid: 'ReadAndRestoreEvents',
      actions: [
        'dynamodb:BatchGetItem',
        'dynamodb:DescribeTable',
        'dynamodb:GetItem',
        'dynamodb:PartiQLInsert',
        'dynamodb:Query',
        'dynamodb:Scan',
      ],
      resources: tables.eventsArns(),
    },
    {
      sid: 'ReadAndRestoreStates',
      actions: [
        'dynamodb:BatchGetItem',
        'dynamodb:DescribeTable',
        'dynamodb:GetItem',
        'dynamodb:PartiQLInsert',
        'dynamodb:PartiQLUpdate',
        'dynamodb:PutItem',
        'dynamodb:Scan',
      ],
      resources: tables.deviceStateArns(),
    },
    {
      // Tables that are protected as those in use: CreateTable needs the rights for its tags and its policy, too.
      sid: 'BuildFreshTables',
      actions: [
        'dynamodb:CreateTable',
        'dynamodb:PutResourcePolicy',
        'dynamodb:TagResource',
        'dynamodb:UpdateContinuousBackups',
      ],
      resources: fresh,
    },
    {
      sid: 'SeeProtectionOfTables',
      actions: [
        'dynamodb:DescribeContinuousBackups',
        'dynamodb:GetResourcePolicy',
        'dynamodb:ListTagsOfResource',
      ],
      resources: [...tables.eventsArns(), ...tables.deviceStateArns()],
    },
    {
      // "Amazon DynamoDB Encryption at Rest: usage notes", "Authorizing use of your customer managed key", read 2026-12.
      sid: 'EncryptFreshTables',
      actions: ['kms:CreateGrant', 'kms:DescribeKey'],
      resources: [key.keyArn],
      conditions: { StringLike: { 'kms:ViaService': 'dynamodb.*.amazonaws.com' } },
    },
    { sid: 'ReadShardProgress', actions: ['dynamodb:Query'], resources: [tables.shardProgress.tableArn] },
    {
      sid: 'KeepJobs',
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      resources: [tables.operations.tableArn],
    },
    {
      sid: 'ReadArchiveAndQuarantine',
      actions: ['s3:GetObject'],
      resources: READ_PREFIXES.map((prefix) => bucket.arnForObjects(`${prefix}*`)),
    },
    {
      sid: 'ResolveQuarantine',
      actions: ['s3:DeleteObject', 's3:PutObject'],
      resources: [bucket.arnForObjects(`${QUARANTINE_PREFIX}*`)],
    },
    {
      sid: 'KeepResolved',
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`${RESOLVED_PREFIX}*`)],
    },
    {
      sid: 'TakeOutRedriven',
      actions: ['s3:DeleteObject'],
      resources: FAILED_PREFIXES.map((prefix) => bucket.arnForObjects(`${prefix}*`)),
    },
    {
      sid: 'KeepRedriven',
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`${REDRIVEN_PREFIX}*`)],
    },
    { sid: 'RedriveToArchiver', actions: ['lambda:InvokeFunction'], resources: [archiver.live.functionArn] },
    { sid: 'ListArchiveAndQuarantine', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] },
    {
      // Mappings have no resource-level rights for listing ("Actions defined by AWS Lambda", read 2026-11).
      sid: 'FindMapping',
      actions: ['lambda:ListEventSourceMappings'],
      resources: ['*'],
    },
    {
      sid: 'PauseProjector',
      actions: ['lambda:GetEventSourceMapping', 'lambda:UpdateEventSourceMapping'],
      resources: ['*'],
      conditions: {
        // A mapping that was made before there was an alias feeds the function itself until it is deployed again.
        ArnEquals: { 'lambda:FunctionArn': [projector.live.functionArn, projector.lambda.functionArn] },
      },
    },
    { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
  ];
}
