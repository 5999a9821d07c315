import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetResourcePolicyCommand,
  ListTagsOfResourceCommand,
} from '@aws-sdk/client-dynamodb';
import { systemClock } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { createFreshTables } from '../../src/replay/fresh-tables.ts';

const ACCOUNT_ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/';
const POLICY = JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'AppendOnly', Effect: 'Deny' }] });
const KEY = 'arn:aws:kms:us-east-1:123456789012:key/k';

/** Answers as DynamoDB does (API reference, read 2026-12) of a table with everything that a stage gives it, or of one with nothing. */
function dynamoDb(isProtected: boolean) {
  const sent: { readonly name: string; readonly input: Record<string, unknown> }[] = [];
  let refusals = 1;
  const answer = (command: object): unknown => {
    if (command instanceof DescribeTableCommand) {
      const { TableName = '' } = command.input;
      const care = {
        SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: KEY },
        DeletionProtectionEnabled: true,
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
        WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 40_000, Status: 'ACTIVE' },
      };
      const base = { TableName, TableArn: `${ACCOUNT_ARN}${TableName}`, TableStatus: 'ACTIVE' };
      return { Table: { ...base, ...(isProtected ? care : {}) } };
    }
    if (command instanceof DescribeContinuousBackupsCommand) {
      if (!isProtected) throw Object.assign(new Error('unknown'), { name: 'UnknownOperationException' });
      const recovery = { PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: 35 };
      return {
        ContinuousBackupsDescription: {
          ContinuousBackupsStatus: 'ENABLED',
          PointInTimeRecoveryDescription: recovery,
        },
      };
    }
    if (command instanceof ListTagsOfResourceCommand) {
      const own = [{ Key: 'stage', Value: 'prod' }];
      const reserved = [{ Key: 'aws:cloudformation:stack-name', Value: 'Twinstream-prod' }];
      return { Tags: isProtected ? [...own, ...reserved] : [] };
    }
    if (command instanceof GetResourcePolicyCommand) {
      if (isProtected && command.input.ResourceArn === `${ACCOUNT_ARN}live-events`) return { Policy: POLICY };
      throw Object.assign(new Error('none'), { name: 'PolicyNotFoundException' });
    }
    // "Backups are being enabled for the table": right after its creation.
    if (command.constructor.name === 'UpdateContinuousBackupsCommand' && refusals > 0) {
      refusals -= 1;
      throw Object.assign(new Error('being enabled'), { name: 'ContinuousBackupsUnavailableException' });
    }
    return {};
  };
  const send = async (command: { readonly input: Record<string, unknown> }) => {
    sent.push({ name: command.constructor.name, input: command.input });
    return answer(command);
  };
  return { client: { send, config: {} } as unknown as DynamoDBClient, sent };
}

const [LIVE, FRESH] = ['live', 'fresh'].map((name) => ({
  eventsTable: `${name}-events`,
  deviceStateTable: `${name}-device-state`,
})) as [{ eventsTable: string; deviceStateTable: string }, { eventsTable: string; deviceStateTable: string }];
const clock = { ...systemClock, sleep: async () => undefined };
const signal = new AbortController().signal;

test('fresh tables are protected as those in use: key, deletion, stream, tags, warm throughput, policy, recovery', async () => {
  const { client, sent } = dynamoDb(true);
  await createFreshTables(client, { tables: FRESH, like: LIVE, clock, signal });
  const care = {
    SSESpecification: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: KEY },
    DeletionProtectionEnabled: true,
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 40_000 },
    Tags: [{ Key: 'stage', Value: 'prod' }],
  };
  const created = sent.filter(({ name }) => name === 'CreateTableCommand').map(({ input }) => input);
  expect(created).toHaveLength(2);
  for (const table of created) expect(table).toMatchObject(care);
  const policies = new Map(created.map(({ TableName, ResourcePolicy }) => [TableName, ResourcePolicy]));
  expect(policies).toEqual(
    new Map([
      [FRESH.eventsTable, POLICY],
      [FRESH.deviceStateTable, undefined],
    ]),
  );
  const recovered = sent.filter(({ name }) => name === 'UpdateContinuousBackupsCommand');
  expect(new Set(recovered.map(({ input }) => input.TableName))).toEqual(new Set(Object.values(FRESH)));
  for (const { input } of recovered) {
    expect(input.PointInTimeRecoverySpecification).toEqual({
      PointInTimeRecoveryEnabled: true,
      RecoveryPeriodInDays: 35,
    });
  }
  expect(recovered.length).toBe(3);
});

test('where those in use have nothing of it, as locally, fresh tables have the schema alone', async () => {
  const { client, sent } = dynamoDb(false);
  await createFreshTables(client, { tables: FRESH, like: LIVE, clock, signal });
  for (const { name, input } of sent) {
    if (name === 'CreateTableCommand') {
      expect(Object.keys(input).sort()).toEqual([
        'AttributeDefinitions',
        'BillingMode',
        'KeySchema',
        'TableName',
      ]);
    }
  }
  expect(sent.map(({ name }) => name)).not.toContain('UpdateContinuousBackupsCommand');
});
