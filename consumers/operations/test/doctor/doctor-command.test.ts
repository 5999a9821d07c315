import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planCapacity } from '@twinstream/capacity';
import { EXIT_CODES } from '@twinstream/command-line';
import { afterEach, describe, expect, test } from 'vitest';
import { capacityDocument } from '../../src/plan/plan-report.ts';
import { runOps } from '../memory-operations.ts';
import { type Answer, mapping, publicAccess, recordedAws, subscriptions, TOPIC } from './recorded-aws.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

interface CheckDocument {
  readonly check: string;
  readonly subject: string;
  readonly status: string;
  readonly found: string;
  readonly remedy: string | null;
}

async function doctor(changed: Readonly<Record<string, Answer>> = {}, ...flags: readonly string[]) {
  const aws = await recordedAws(changed);
  cleanUps.push(aws.close);
  const { exitCode, stdout, stderr } = await runOps(aws.services, ['doctor', '--output', 'json', ...flags]);
  const { checks = [] } = stdout === '' ? {} : (JSON.parse(stdout) as { checks: readonly CheckDocument[] });
  const missing = checks.filter(({ status }) => status === 'missing');
  return { exitCode, stderr, checks, missing, asked: aws.asked };
}

/** A file with the plan of 1,000 events a second for each thousand of devices. */
async function planFile(deviceCount: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
  const plan = planCapacity({ deviceCount, eventsPerSecondPerDevice: 1, eventBytes: 170 });
  const file = join(folder, 'plan.json');
  await writeFile(file, JSON.stringify(capacityDocument(plan, undefined)));
  return file;
}

const xmlError = (status: number, code: string): Answer => ({
  status,
  body: `<Error><Code>${code}</Code><Message>${code}</Message></Error>`,
});

test('a stage that lacks nothing exits with 0, and is only read', async () => {
  const { exitCode, missing, checks, asked } = await doctor();
  expect(missing).toEqual([]);
  expect(exitCode).toBe(EXIT_CODES.success);
  const notChecked = checks.filter(({ status }) => status === 'not-checked').map(({ check }) => check);
  expect(notChecked).toEqual(['quota-concurrency', 'quota-shards', 'quota-write-units']);
  for (const operation of asked)
    expect(operation).toMatch(/^(Kinesis\.|DynamoDB\.)?(Describe|List|Get|Head)/);
});

describe('what is missing is named, with what to do, and exits with 1', () => {
  const stream = (other: object): Answer => ({
    body: {
      StreamDescriptionSummary: {
        StreamARN: 'arn:aws:kinesis:us-east-1:123456789012:stream/device-events',
        RetentionPeriodHours: 168,
        EncryptionType: 'KMS',
        OpenShardCount: 1,
        ...other,
      },
    },
  });
  const recovery = {
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
    },
  };
  const mappings = (...list: readonly object[]): Answer => ({ body: { EventSourceMappings: list } });

  test.each<[string, Record<string, Answer>, RegExp]>([
    [
      'stream-retention',
      { DescribeStreamSummary: stream({ RetentionPeriodHours: 24 }) },
      /increase-stream-retention-period .* 168/,
    ],
    ['stream-encryption', { DescribeStreamSummary: stream({ EncryptionType: 'NONE' }) }, /deploy/],
    [
      'projector-mapping',
      { ListEventSourceMappings: mappings(mapping('event-archiver')) },
      /TWINSTREAM_PROJECTOR_FUNCTION/,
    ],
    [
      'mapping-state',
      { ListEventSourceMappings: mappings(mapping('state-projector', { State: 'Disabled' })) },
      /--enabled/,
    ],
    [
      'mapping-settings',
      {
        ListEventSourceMappings: mappings(mapping('state-projector', { BisectBatchOnFunctionError: false })),
      },
      /update-event-source-mapping/,
    ],
    [
      'mapping-settings',
      { ListEventSourceMappings: mappings(mapping('state-projector', { DestinationConfig: {} })) },
      /update-event-source-mapping/,
    ],
    [
      'table-recovery',
      { DescribeContinuousBackups: { body: recovery } },
      /update-continuous-backups --table-name/,
    ],
    [
      'table-deletion-protection',
      { DescribeTable: { body: { Table: { TableStatus: 'ACTIVE', DeletionProtectionEnabled: false } } } },
      /--deletion-protection-enabled/,
    ],
    ['bucket', { HeadBucket: { status: 404, body: '' } }, /TWINSTREAM_ARCHIVE_BUCKET/],
    [
      'bucket-public-access',
      { GetPublicAccessBlock: { body: publicAccess(false) } },
      /put-public-access-block/,
    ],
    [
      'bucket-public-access',
      { GetPublicAccessBlock: xmlError(404, 'NoSuchPublicAccessBlockConfiguration') },
      /put-public-access-block/,
    ],
    [
      'bucket-encryption',
      { GetBucketEncryption: xmlError(404, 'ServerSideEncryptionConfigurationNotFoundError') },
      /deploy/,
    ],
    ['alarm-actions', { DescribeAlarms: { body: { MetricAlarms: [] } } }, /deploy/],
    ['alarm-subscriptions', { ListSubscriptionsByTopic: { body: subscriptions() } }, /aws sns subscribe/],
    [
      'alarm-subscriptions',
      { ListSubscriptionsByTopic: { body: subscriptions('PendingConfirmation') } },
      /confirm/,
    ],
  ])('%s: %j', async (check, changed, remedy) => {
    const { exitCode, missing } = await doctor(changed);
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect([...new Set(missing.map((one) => one.check))]).toEqual([check]);
    for (const one of missing) expect(one.remedy).toMatch(remedy);
  });

  test('an alarm of the pipeline that acts on nothing', async () => {
    const silent = {
      AlarmName: 'silent',
      ActionsEnabled: false,
      AlarmActions: [TOPIC],
      Metrics: [
        {
          Id: 'm',
          MetricStat: {
            Metric: { Dimensions: [{ Name: 'TableName', Value: 'events' }] },
            Period: 60,
            Stat: 'Sum',
          },
        },
      ],
    };
    const { missing } = await doctor({ DescribeAlarms: { body: { MetricAlarms: [silent] } } });
    expect(missing.map(({ check, found }) => `${check}: ${found}`)).toEqual([
      'alarm-actions: without an action that is enabled: silent',
    ]);
  });
});

describe('against a plan', () => {
  test('quotas and shards that suffice are ok', async () => {
    const { exitCode, checks } = await doctor({}, '--plan', await planFile(10_000));
    expect(exitCode).toBe(EXIT_CODES.success);
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  test('those that do not are missing', async () => {
    const { exitCode, missing } = await doctor({}, '--plan', await planFile(1_000_000));
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(missing.map(({ check }) => check)).toEqual([
      'stream-mode',
      'quota-concurrency',
      'quota-write-units',
    ]);
  });

  test('concurrency that suffices to run, but not for what the stage reserves, is missing', async () => {
    const file = await planFile(140_000);
    const { figures } = JSON.parse(await readFile(file, 'utf8'));
    const planned = (key: string) => figures.find((one: { key: string }) => one.key === key).twinstream.value;
    expect(planned('concurrency')).toBeLessThan(900);
    expect(planned('reservedConcurrency')).toBeGreaterThan(900);
    const { missing } = await doctor({}, '--plan', file);
    expect(missing.map(({ check }) => check)).toContain('quota-concurrency');
  });

  test('a file that is no plan is invalid usage, and nothing is asked', async () => {
    const { exitCode, stderr, asked } = await doctor({}, '--plan', '/nowhere/plan.json');
    expect(exitCode).toBe(EXIT_CODES.usage);
    expect(stderr).toContain('/nowhere/plan.json');
    expect(asked).toEqual([]);
  });
});

describe('what cannot be looked at', () => {
  test('for want of permission is not checked, and exits with 4', async () => {
    const denied = {
      status: 400,
      body: {
        __type: 'com.amazon.coral.service#AccessDeniedException',
        Message: 'not authorized to perform: dynamodb:DescribeContinuousBackups',
      },
    };
    const { exitCode, checks, missing } = await doctor({ DescribeContinuousBackups: denied });
    expect(missing).toEqual([]);
    expect(exitCode).toBe(EXIT_CODES.unavailable);
    expect(checks.find(({ check }) => check === 'table-recovery')).toMatchObject({
      status: 'not-checked',
      found: expect.stringContaining('dynamodb:DescribeContinuousBackups'),
    });
  });

  test('of a table that is not there names it, and asks no more of it', async () => {
    const gone = {
      status: 400,
      body: { __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException' },
    };
    const { exitCode, missing, asked } = await doctor({ DescribeTable: gone });
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(missing.map(({ check, subject }) => `${check} ${subject}`)).toEqual([
      'table-status table events',
      'table-status table device-state',
      'table-status table shard-progress',
      'table-status table operations',
    ]);
    expect(asked).not.toContain('DescribeContinuousBackups');
  });

  test('for want of permission on the tables is not checked either', async () => {
    const { exitCode, missing } = await doctor({
      DescribeTable: { status: 400, body: { __type: 'com.amazon.coral.service#AccessDeniedException' } },
    });
    expect(missing).toEqual([]);
    expect(exitCode).toBe(EXIT_CODES.unavailable);
  });

  test('because a service fails ends the command with 4', async () => {
    const { exitCode, checks } = await doctor({
      DescribeAlarms: { status: 500, body: { __type: 'InternalServiceFault' } },
    });
    expect(exitCode).toBe(EXIT_CODES.unavailable);
    expect(checks).toEqual([]);
  });

  test('because the pipeline is local is not checked, by name', async () => {
    const aws = await recordedAws();
    cleanUps.push(aws.close);
    const { exitCode, stdout } = await runOps({ ...aws.services, alarms: undefined }, ['doctor']);
    expect(exitCode).toBe(EXIT_CODES.success);
    for (const name of [
      'stream-encryption',
      'table-recovery',
      'table-deletion-protection',
      'bucket-public-access',
      'bucket-encryption',
      'alarm-actions',
      'alarm-subscriptions',
      'quota-concurrency',
    ]) {
      expect(stdout).toMatch(new RegExp(`^${name} +not-checked`, 'm'));
    }
    expect(aws.asked).not.toContain('DescribeAlarms');
  });
});

test('the table names what is missing and what to do', async () => {
  const aws = await recordedAws({ ListSubscriptionsByTopic: { body: subscriptions() } });
  cleanUps.push(aws.close);
  const { stdout } = await runOps(aws.services, ['doctor']);
  expect(stdout).toMatch(/checks, 1 missing, 3 not checked/);
  expect(stdout).toContain(`alarm-subscriptions, topic ${TOPIC}:\n  aws sns subscribe --topic-arn ${TOPIC}`);
});
