import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  ACCOUNT,
  decide,
  deployedResources,
  isLike,
  REGION,
  statementsOf as readStatements,
} from './policies.ts';
import { type Context, FULL, makeStacks, pipelineTemplate, removeApps, resources } from './templates.ts';

const template = pipelineTemplate(FULL);
const list = z.union([z.string(), z.array(z.string())]).transform((one) => [one].flat());
const document = z.object({
  Statement: z.array(
    z.object({
      Sid: z.string().optional(),
      Action: list,
      Resource: z.unknown(),
      Effect: z.string(),
      Condition: z.unknown().optional(),
    }),
  ),
});
const role = z.object({ Policies: z.array(z.object({ PolicyDocument: document })).default([]) });

/** Actions of a role by the name of the statement that allows them. */
function actionsOf(idPrefix: string, of: Template = template): Record<string, string[]> {
  return Object.fromEntries(statementsOf(idPrefix, of).map(({ Sid = '', Action }) => [Sid, Action]));
}

function statementsOf(idPrefix: string, of: Template = template) {
  const [found] = resources(of, 'AWS::IAM::Role').filter(([id]) => id.startsWith(idPrefix));
  if (found === undefined) throw new Error(`no role begins with ${idPrefix}`);
  return role.parse(found[1].Properties).Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

const CONSUMER = {
  WriteOwnLogs: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  PollStream: [
    'kinesis:DescribeStream',
    'kinesis:DescribeStreamSummary',
    'kinesis:GetRecords',
    'kinesis:GetShardIterator',
    'kinesis:ListShards',
  ],
  KeepGivenUpBatches: ['s3:PutObject'],
  FindFailureBucket: ['s3:ListBucket'],
  UseKey: ['kms:Decrypt', 'kms:GenerateDataKey'],
};

const STORE = {
  AppendAndReadEvents: [
    'dynamodb:BatchGetItem',
    'dynamodb:GetItem',
    'dynamodb:PartiQLInsert',
    'dynamodb:Query',
  ],
  AdvanceState: [
    'dynamodb:BatchGetItem',
    'dynamodb:GetItem',
    'dynamodb:PartiQLInsert',
    'dynamodb:PartiQLUpdate',
  ],
};

test('the projector appends and reads events, advances states, and nothing else', () => {
  expect(actionsOf('ProjectorStateProjector')).toEqual({
    ...CONSUMER,
    ...STORE,
    AdvanceShardProgress: ['dynamodb:UpdateItem'],
    FollowTablesInUse: ['dynamodb:GetItem'],
    QuarantinePoison: ['s3:PutObject'],
  });
});

/**
 * Every action that can replace, change or remove an item ("Actions defined by Amazon DynamoDB", service authorization
 * reference, read 2026-11). `PartiQLInsert` is none of them: an INSERT refuses a key that is taken.
 */
const OVERWRITING = [
  'dynamodb:BatchWriteItem',
  'dynamodb:DeleteItem',
  'dynamodb:DeleteTable',
  'dynamodb:PartiQLDelete',
  'dynamodb:PartiQLUpdate',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:UpdateTimeToLive',
];

test('no role but that of an emergency can overwrite, change or delete a page', () => {
  const onEvents = resources(template, 'AWS::IAM::Role').flatMap(([id, { Properties }]) =>
    role
      .parse(Properties)
      .Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .filter(({ Effect }) => Effect === 'Allow')
      .filter(({ Resource }) => /TablesEvents|-events"|^"\*"$/.test(JSON.stringify(Resource)))
      .flatMap(({ Action }) => Action.map((action) => ({ id, action }))),
  );
  const inserting = onEvents.filter(({ action }) => action === 'dynamodb:PartiQLInsert');
  expect(inserting.map(({ id }) => id.replace(/(?:Consumer)?Role.*/, '')).sort()).toEqual([
    'ApiQuarantine',
    'BreakGlass',
    'Operator',
    'ProjectorStateProjector',
  ]);
  const overwriting = onEvents.filter(({ action }) =>
    OVERWRITING.some((one) => isLike(action.toLowerCase(), one.toLowerCase())),
  );
  expect(overwriting).toEqual([{ id: expect.stringMatching(/^BreakGlassRole/), action: 'dynamodb:PutItem' }]);
});

describe('the table of events itself', () => {
  const deployed = deployedResources([template]);
  const found = (type: string, idPrefix: string) =>
    deployed.find((one) => one.type === type && one.id.startsWith(idPrefix));
  const events = found('AWS::DynamoDB::Table', 'TablesEvents');
  const { PolicyDocument } = z
    .object({ PolicyDocument: z.unknown() })
    .parse(events?.properties.ResourcePolicy ?? { PolicyDocument: { Statement: [] } });
  const decision = (action: string, role: string) =>
    decide(readStatements(PolicyDocument), {
      action,
      resource: events?.arn ?? '',
      principal: { arn: role },
      context: { 'aws:PrincipalArn': role },
    });
  const breakGlass = `arn:aws:iam::${ACCOUNT}:role/${found('AWS::IAM::Role', 'BreakGlass')?.properties.RoleName}`;
  const administrator = `arn:aws:iam::${ACCOUNT}:role/Administrator`;
  const OF_ITEMS = OVERWRITING.filter((action) => !/Table|TimeToLive/.test(action));

  test.each(OF_ITEMS)(
    'denies %s to everyone, administrators included, but for the emergency role',
    (action) => {
      expect([decision(action, administrator), decision(action, breakGlass)]).toEqual([
        'denied',
        'not allowed',
      ]);
    },
  );

  test.each(['dynamodb:PartiQLInsert', 'dynamodb:Query', 'dynamodb:Scan'])('leaves %s to roles', (action) => {
    expect(decision(action, administrator)).toBe('not allowed');
  });
});

test('services assume roles on behalf of this account alone', () => {
  const { pipeline, operations } = makeStacks(FULL);
  const all = deployedResources([Template.fromStack(pipeline), Template.fromStack(operations)]);
  removeApps();
  const assumed = all
    .filter(({ type }) => type === 'AWS::IAM::Role')
    .flatMap(({ id, properties }) =>
      readStatements(properties.AssumeRolePolicyDocument).flatMap((statement) =>
        (statement.Principal?.Service ?? []).map((service) => ({ id, service, statement })),
      ),
    );
  const asked = (account: string, service: string) => ({
    action: 'sts:AssumeRole',
    resource: '',
    principal: { service },
    context: { 'aws:SourceAccount': account, 'sts:ExternalId': account },
  });
  expect(assumed.length).toBeGreaterThan(8);
  for (const { id, service, statement } of assumed) {
    // CDK's own function that empties a bucket: its role is not ours to write.
    if (id.startsWith('CustomS3AutoDeleteObjects')) continue;
    expect([id, decide([statement], asked(ACCOUNT, service))]).toEqual([id, 'allowed']);
    expect([id, decide([statement], asked('999999999999', service))]).toEqual([id, 'not allowed']);
  }
});

test('the archiver delivers, and reaches no table', () => {
  expect(actionsOf('ArchiverEventArchiver')).toEqual({
    ...CONSUMER,
    DeliverToArchive: ['firehose:PutRecordBatch'],
  });
});

test('the query API reads, and writes nothing', () => {
  const actions = Object.values(actionsOf('ApiQueryApi')).flat();
  expect(actions.filter((action) => /Put|Update|Delete|Create|PartiQL/.test(action)).sort()).toEqual([
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ]);
  expect(actions).not.toContain('s3:GetObject');
});

test('corrections put records on the stream, read states and history, keep annotations, and nothing else', () => {
  expect(actionsOf('ApiCorrections')).toEqual({
    KeepAnnotations: ['dynamodb:UpdateItem'],
    WriteOwnLogs: CONSUMER.WriteOwnLogs,
    UseKey: CONSUMER.UseKey,
    PutCorrections: ['kinesis:PutRecords'],
    ReadStates: ['dynamodb:GetItem'],
    ReadHistory: ['dynamodb:Query'],
    FollowTablesInUse: ['dynamodb:GetItem'],
  });
});

test('the function of the quarantine appends what is redriven, resolves records, and nothing else', () => {
  expect(actionsOf('ApiQuarantine')).toEqual({
    WriteOwnLogs: CONSUMER.WriteOwnLogs,
    UseKey: CONSUMER.UseKey,
    ...STORE,
    ReadShardProgress: ['dynamodb:Query'],
    FollowTablesInUse: ['dynamodb:GetItem'],
    ListQuarantine: ['s3:ListBucket'],
    ReadAndTakeOutQuarantined: ['s3:DeleteObject', 's3:GetObject'],
    KeepResolved: ['s3:PutObject'],
  });
});

test('the status publisher publishes and reads changes of state', () => {
  expect(actionsOf('StatusEventsStatusPublisher')).toEqual({
    WriteOwnLogs: CONSUMER.WriteOwnLogs,
    KeepGivenUpBatches: CONSUMER.KeepGivenUpBatches,
    FindFailureBucket: CONSUMER.FindFailureBucket,
    UseKey: CONSUMER.UseKey,
    PublishStatus: ['events:PutEvents'],
    PollStateChanges: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
    FindStateChanges: ['dynamodb:ListStreams'],
  });
});

test('the canary device reports, reads its state, and nothing else', () => {
  expect(actionsOf('CanaryDevice')).toEqual({
    WriteOwnLogs: CONSUMER.WriteOwnLogs,
    UseKey: CONSUMER.UseKey,
    Report: ['kinesis:PutRecord'],
    ReadState: ['dynamodb:GetItem'],
    FollowTablesInUse: ['dynamodb:GetItem'],
  });
});

test('AWS IoT puts records, keeps what failed, and nothing else', () => {
  expect(actionsOf('Iot')).toEqual({
    PutEvents: ['kinesis:PutRecord'],
    KeepWhatFailed: ['s3:PutObject'],
    UseKey: ['kms:Decrypt', 'kms:GenerateDataKey'],
  });
});

test('no statement of a role allows all actions, and only listing and mappings name no resource', () => {
  const all = resources(template, 'AWS::IAM::Role').flatMap(([, { Properties }]) =>
    role.parse(Properties).Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement),
  );
  expect(all.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([]);
  expect(new Set(all.filter(({ Resource }) => Resource === '*').map(({ Sid }) => Sid))).toEqual(
    new Set(['FindMapping', 'PauseProjector', 'FindStateChanges']),
  );
});

test('an operator task may take out and keep what it redrives, and invoke the archiver alone', () => {
  const rights = statementsOf('OperatorRole').filter(({ Sid = '' }) =>
    ['TakeOutRedriven', 'KeepRedriven', 'RedriveToArchiver'].includes(Sid),
  );
  const resources = Object.fromEntries(
    rights.map(({ Sid = '', Resource }) => [Sid, JSON.stringify(Resource)]),
  );
  expect(resources.TakeOutRedriven?.match(/"\/[^"]*"/g)).toEqual(['"/aws/lambda/*"', '"/iot-errors/*"']);
  expect(resources.KeepRedriven?.match(/"\/[^"]*"/g)).toEqual(['"/redriven/*"']);
  expect(resources.RedriveToArchiver).toMatch(/^\{"Ref":"ArchiverEventArchiver[^"]*Live[^"]*"\}$/);
  expect(
    Object.values(actionsOf('OperatorRole'))
      .flat()
      .filter((action) => action.startsWith('lambda:')),
  ).toEqual([
    'lambda:InvokeFunction',
    'lambda:ListEventSourceMappings',
    'lambda:GetEventSourceMapping',
    'lambda:UpdateEventSourceMapping',
  ]);
});

describe('protection of tables that a promotion has put into use', () => {
  const PROTECTION = ['dynamodb:PutResourcePolicy', 'dynamodb:UpdateContinuousBackups'];
  const rightsOf = (context: Context) => {
    const deployed = deployedResources([pipelineTemplate(context)]);
    const operator = deployed.find(
      ({ type, id }) => type === 'AWS::IAM::Role' && id.startsWith('OperatorRole'),
    );
    const { Policies } = z
      .object({ Policies: z.array(z.object({ PolicyDocument: z.unknown() })) })
      .parse(operator?.properties);
    return Policies.flatMap(({ PolicyDocument }) => readStatements(PolicyDocument));
  };
  const arnOf = (table: string) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${table}`;

  test.each(['events', 'device-state'])('is not for an operator task to change: %s', (kind) => {
    const promoted = rightsOf({ ...FULL, statusEvents: false, generation: 'b' });
    for (const action of PROTECTION) {
      const decision = (name: string) =>
        decide(promoted, { action, resource: arnOf(`Twinstream-prod-fresh-${name}-${kind}`) });
      expect([action, decision('b'), decision('c')]).toEqual([action, 'denied', 'allowed']);
    }
  });

  test('needs no denial before any promotion: tables of the stack are not fresh', () => {
    for (const action of PROTECTION) {
      expect(decide(rightsOf(FULL), { action, resource: arnOf('TablesEvents0') })).toBe('not allowed');
    }
  });
});

test('an operator task may pause the projector alone', () => {
  const pause = statementsOf('Operator').find(({ Sid }) => Sid === 'PauseProjector');
  expect(pause?.Condition).toEqual({
    ArnEquals: {
      'lambda:FunctionArn': [
        { Ref: expect.stringMatching(/^ProjectorStateProjector.*Live/) },
        { 'Fn::GetAtt': [expect.stringMatching(/^ProjectorStateProjector/), 'Arn'] },
      ],
    },
  });
});

test('no role takes a managed policy, but that of CodeDeploy, which reaches no data', () => {
  const roles = resources(template, 'AWS::IAM::Role');
  expect(roles.length).toBeGreaterThan(5);
  const managed = roles.filter(([, { Properties }]) => Properties.ManagedPolicyArns !== undefined);
  expect(managed.map(([id]) => id)).toEqual([expect.stringMatching(/^DeploymentsRole/)]);
  expect(JSON.stringify(managed)).toContain(
    ':iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited',
  );
});

test('the operators’ task is told that it works on AWS', () => {
  const tasks = resources(Template.fromStack(makeStacks(FULL).operations), 'AWS::ECS::TaskDefinition');
  removeApps();
  expect(JSON.stringify(tasks)).toContain('"--target","aws"');
});
