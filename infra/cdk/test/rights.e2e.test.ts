import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bundle } from '../src/bundles.ts';
import type { BundleName } from '../src/code-folders.ts';
import {
  type DeployedResource,
  decide,
  deployedResources,
  type Statement,
  statementsOf,
} from './policies.ts';
import { FULL, makeStacks, removeApps } from './templates.ts';

afterAll(removeApps);

const { pipeline, operations } = makeStacks(FULL);
const deployed = deployedResources([Template.fromStack(pipeline), Template.fromStack(operations)]);
const policiesSchema = z.array(z.object({ PolicyDocument: z.unknown() })).default([]);

/** Everything that a role may do, by its own policies and by those that are attached to it. */
function rightsOf({ id, properties }: DeployedResource): readonly Statement[] {
  const attached = deployed.filter(
    (one) => one.type === 'AWS::IAM::Policy' && z.array(z.string()).parse(one.properties.Roles).includes(id),
  );
  return [
    ...policiesSchema.parse(properties.Policies),
    ...attached.map(({ properties: { PolicyDocument } }) => ({ PolicyDocument })),
  ].flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument));
}

function roleOf(idPrefix: string): DeployedResource {
  const found = deployed.find(({ type, id }) => type === 'AWS::IAM::Role' && id.startsWith(idPrefix));
  if (found === undefined) throw new Error(`no role begins with ${idPrefix}`);
  return found;
}

/** Whether any resource can be reached by the action. */
function mayDo(statements: readonly Statement[], action: string): boolean {
  return statements.some(
    (statement) =>
      decide([{ ...statement, Resource: [], Condition: {} }], { action, resource: '' }) === 'allowed',
  );
}

/** Actions that an operation is checked against, where they bear other names ("Actions defined by …", service authorization reference, read 2026-11). */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  'dynamodb:BatchExecuteStatement': ['dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate'],
  // With tags, a policy of the table, and a key of the account.
  'dynamodb:CreateTable': [
    'dynamodb:CreateTable',
    'dynamodb:PutResourcePolicy',
    'dynamodb:TagResource',
    'kms:CreateGrant',
    'kms:DescribeKey',
  ],
  'eventbridge:PutEvents': ['events:PutEvents'],
  'lambda:Invoke': ['lambda:InvokeFunction'],
  's3:ListObjectsV2': ['s3:ListBucket'],
};
/** Parts of every client of the SDK: endpoint discovery, and sessions of directory buckets. Neither is used here. */
const PARTS_OF_CLIENTS = ['dynamodb:DescribeEndpoints', 's3:CreateSession'];

/** Actions that Lambda does with the role of a function, not its code. */
const OF_LAMBDA = ['logs:CreateLogStream', 'logs:PutLogEvents'];
/** The services decrypt and encrypt with the key on behalf of the caller. */
const OF_SERVICES = ['kms:Decrypt', 'kms:GenerateDataKey'];
/** "Process Kinesis records", "Process DynamoDB records": required permissions, Lambda developer guide, read 2026-11. */
const TRIGGERS: Readonly<Record<string, readonly string[]>> = {
  kinesis: [
    'kinesis:DescribeStream',
    'kinesis:DescribeStreamSummary',
    'kinesis:GetRecords',
    'kinesis:GetShardIterator',
    'kinesis:ListShards',
  ],
  dynamodb: [
    'dynamodb:DescribeStream',
    'dynamodb:GetRecords',
    'dynamodb:GetShardIterator',
    'dynamodb:ListStreams',
  ],
};

interface Component {
  readonly role: string;
  readonly bundle: BundleName;
  /** What the code holds, and what its role must not allow: it is in a module with something that is needed. */
  readonly notCalled: readonly string[];
}

const COMPONENTS: readonly Component[] = [
  {
    role: 'ProjectorStateProjector',
    bundle: 'state-projector',
    // Scans and replacements of states are for operators, as is everything of the quarantine but to put.
    notCalled: ['dynamodb:PutItem', 'dynamodb:Scan', 's3:DeleteObject', 's3:GetObject', 's3:ListObjectsV2'],
  },
  { role: 'ArchiverEventArchiver', bundle: 'event-archiver', notCalled: [] },
  {
    role: 'ApiQueryApi',
    bundle: 'query-api',
    // It reads through the stores of those who write.
    notCalled: [
      'dynamodb:BatchExecuteStatement',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'kinesis:PutRecords',
      's3:DeleteObject',
      's3:GetObject',
      // The saved view of a fleet is of the long-lived service.
      's3:HeadObject',
      's3:PutObject',
    ],
  },
  {
    role: 'ApiCorrections',
    bundle: 'corrections',
    notCalled: [
      'dynamodb:BatchExecuteStatement',
      'dynamodb:BatchGetItem',
      'dynamodb:PutItem',
      'dynamodb:Scan',
      'kinesis:ListShards',
    ],
  },
  {
    role: 'ApiQuarantine',
    bundle: 'quarantine',
    notCalled: ['dynamodb:PutItem', 'dynamodb:Scan', 'dynamodb:UpdateItem'],
  },
  {
    role: 'OperatorRole',
    bundle: 'operations',
    notCalled: [
      // These look for a local pipeline.
      'dynamodb:ListTables',
      'firehose:ListDeliveryStreams',
      'kinesis:ListStreams',
      'lambda:ListFunctions',
      's3:ListBuckets',
      // `doctor` looks at a stage with the rights of the party that deploys it (docs/deploy.md).
      'cloudwatch:DescribeAlarms',
      'dynamodb:DescribeLimits',
      'kinesis:DescribeLimits',
      'lambda:GetAccountSettings',
      's3:GetBucketEncryption',
      's3:GetPublicAccessBlock',
      's3:HeadBucket',
      'sns:ListSubscriptionsByTopic',
    ],
  },
  {
    role: 'CanaryDevice',
    bundle: 'canary-device',
    // It reads through the store of those who write.
    notCalled: [
      'dynamodb:BatchExecuteStatement',
      'dynamodb:BatchGetItem',
      'dynamodb:PutItem',
      'dynamodb:Scan',
      'dynamodb:UpdateItem',
    ],
  },
  { role: 'StatusEventsStatusPublisher', bundle: 'status-publisher', notCalled: [] },
];

/** Sources and failure destinations of the mappings of the function that has the role, by service. */
function triggersOf(
  role: DeployedResource,
): readonly { readonly action: string; readonly resource: string }[] {
  const functions = deployed.filter(
    ({ type, properties }) => type === 'AWS::Lambda::Function' && properties.Role === role.arn,
  );
  const aliases = deployed.filter(
    ({ type, properties }) =>
      type === 'AWS::Lambda::Alias' && functions.some(({ id }) => id === properties.FunctionName),
  );
  return deployed
    .filter(
      ({ type, properties }) =>
        type === 'AWS::Lambda::EventSourceMapping' &&
        aliases.some(({ arn }) => arn === properties.FunctionName),
    )
    .flatMap(({ properties }) => {
      const source = z.string().parse(properties.EventSourceArn);
      const { OnFailure } = z
        .object({ OnFailure: z.object({ Destination: z.string() }) })
        .parse(properties.DestinationConfig);
      const service = source.split(':')[2] ?? '';
      return [
        ...(TRIGGERS[service] ?? []).map((action) => ({
          action,
          // It has no type of resource, and is allowed for all or for none.
          resource: action === 'dynamodb:ListStreams' ? '*' : source,
        })),
        { action: 's3:PutObject', resource: `${OnFailure.Destination}/aws/lambda/mapping/function/batch` },
        { action: 's3:ListBucket', resource: OnFailure.Destination },
      ];
    });
}

test('there is a component for every role that runs code of this project', () => {
  const roles = deployed
    .filter(({ type }) => type === 'AWS::Lambda::Function' || type === 'AWS::ECS::TaskDefinition')
    .map(({ properties }) => String(properties.Role ?? properties.TaskRoleArn))
    .filter((role) => !role.includes('CustomS3AutoDelete') && !role.includes('CustomCDKBucket'));
  expect(new Set(roles)).toEqual(new Set(COMPONENTS.map(({ role }) => roleOf(role).arn)));
});

describe.each(COMPONENTS)('the role of $bundle', ({ role: prefix, bundle: name, notCalled }) => {
  const role = roleOf(prefix);
  const rights = rightsOf(role);

  test('may do what its trigger and its failure destination need', () => {
    const refused = triggersOf(role).filter((request) => decide(rights, request) !== 'allowed');
    expect(refused).toEqual([]);
  });

  test('may do what the code calls, and nothing of what it does not', async () => {
    const held = (await bundle(name)).operations.filter((operation) => !PARTS_OF_CLIENTS.includes(operation));
    const called = held.filter((operation) => !notCalled.includes(operation));
    const actions = called.flatMap((operation) => ACTIONS[operation] ?? [operation]);
    expect(notCalled.filter((operation) => !held.includes(operation))).toEqual([]);
    expect(actions.filter((action) => !mayDo(rights, action))).toEqual([]);

    const needed = new Set([
      ...actions,
      ...OF_SERVICES,
      ...triggersOf(role).map(({ action }) => action),
      ...(prefix === 'OperatorRole' ? [] : OF_LAMBDA),
    ]);
    const allowed = rights.flatMap(({ Action }) => Action);
    expect(allowed.filter((action) => !needed.has(action))).toEqual([]);
  });
});
