import { planCapacity } from '@twinstream/capacity';
import { collectedOutput, EXIT_CODES } from '@twinstream/command-line';
import { systemClock } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';
import { operationsCommand } from '../../src/command/operations-command.ts';

const LOAD = ['--devices', '10000', '--period', '10s', '--bytes', '170'];

async function plan(...flags: readonly string[]) {
  const [stdout, stderr] = [collectedOutput(), collectedOutput()];
  const exitCode = await operationsCommand(
    {
      argv: ['plan', ...flags],
      folder: '/',
      environment: {},
      stdout,
      stderr,
      clock: systemClock,
      stop: new AbortController().signal,
      ask: async () => undefined,
    },
    {
      enterTarget: () => {
        throw new Error('a plan reaches no service');
      },
    },
  );
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ');

describe('the table', () => {
  test('has three designs, and a formula and a source for each figure, in 120 columns', async () => {
    const { exitCode, stdout } = await plan(...LOAD);
    expect(exitCode).toBe(EXIT_CODES.success);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
    expect(stdout).toMatch(/figure +this design +ordinary +coalesced +unit/);
    const { twinstream } = planCapacity({
      deviceCount: 10_000,
      eventsPerSecondPerDevice: 0.1,
      eventBytes: 170,
    });
    for (const { name } of twinstream) expect(stdout.split(name).length, name).toBeGreaterThanOrEqual(3);
    expect(stdout.match(/^ +source: \S/gm)).toHaveLength(twinstream.length);
    expect(oneLine(stdout)).toContain('buys a history that is read by device in milliseconds');
  });

  test('warns of devices that are too slow to share pages within the budget', async () => {
    expect((await plan(...LOAD, '--latency-budget', '5s')).stdout).toContain('warning: a device sends');
    const enough = await plan(...LOAD, '--latency-budget', '60s', '--aggregate');
    expect(enough.stdout).not.toContain('warning');
    expect(oneLine(enough.stdout)).toContain(
      'a linger of 1 s; states of 497.3 bytes; window 57 s; shards used to',
    );
  });
});

describe('JSON', () => {
  test('has the figures under their keys, which scripts may rely on', async () => {
    const { stdout } = await plan(...LOAD, '--latency-budget', '30s', '--output', 'json');
    const document = JSON.parse(stdout);
    expect(Object.keys(document)).toEqual(['workload', 'latencyBudgetSeconds', 'warnings', 'figures']);
    expect(document.workload).toEqual({
      deviceCount: 10_000,
      eventsPerSecondPerDevice: 0.1,
      eventBytes: 170,
      isAggregated: false,
      arrivals: 'regular',
      stateBytes: expect.closeTo(497.3, 6),
      windowSeconds: 28,
      lingerSeconds: 0.05,
      producerCount: 1,
      readerCount: 2,
      shardUse: 0.25,
    });
    expect(document.latencyBudgetSeconds).toBe(30);
    expect(document.warnings.map(({ key }: { key: string }) => key)).toEqual([]);
    expect(document.figures.map(({ key }: { key: string }) => key)).toEqual([
      'eventsPerSecond',
      'bytesPerSecond',
      'lingerSeconds',
      'eventsPerRecord',
      'recordsPerSecond',
      'shards',
      'batchSeconds',
      'eventsPerBatch',
      'concurrency',
      'reservedConcurrency',
      'kinesisProvisionedDollars',
      'kinesisOnDemandDollars',
      'kinesisAdvantageDollars',
      'eventsPerPage',
      'readableAfterSeconds',
      'writeUnitsPerEvent',
      'writeUnitsPerSecond',
      'headMissShare',
      'projectorCores',
      'tableGbPerMonth',
      'stateGb',
      'archiveGbPerMonth',
      'dynamoDbDollars',
      'dynamoDbStrayedDollars',
      'dynamoDbProvisionedDollars',
      'dynamoDbReservedOneYearDollars',
      'dynamoDbReservedThreeYearsDollars',
      'dynamoDbStorageDollars',
      'recoveryDollars',
      'archiveDollars',
      'dynamoDbStorageDollarsMonth12',
      'recoveryDollarsMonth12',
      'archiveDollarsMonth12',
      'lambdaDollars',
      'logsDollars',
      'firehoseDollars',
      'iotBasicIngestDollars',
      'iotCoreDollars',
      'serviceMemoryMiB',
      'serviceDollars',
      'serviceReadsDollars',
      'dollars',
      'dollarsMonth12',
      'dollarsProvisioned',
      'dollarsProvisionedMonth12',
      'dollarsPerMillionEvents',
    ]);
    const member = { value: expect.any(Number), formula: expect.any(String), source: expect.any(String) };
    for (const figure of document.figures) {
      expect(figure).toMatchObject({
        name: expect.any(String),
        unit: expect.any(String),
        twinstream: member,
        ordinary: member,
        coalesced: member,
      });
    }
  });
});

describe('what cannot be', () => {
  test('is refused where no window keeps the budget, with the time that it takes without one', async () => {
    const { exitCode, stdout, stderr } = await plan(...LOAD, '--latency-budget', '1s');
    expect(exitCode).toBe(EXIT_CODES.refused);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^refused \(LATENCY_BUDGET\): .*1\.3 s .*1\.0 s cannot be kept/);
  });

  test('is refused where the window that is asked for exceeds the budget, with the longest that does not', async () => {
    const { exitCode, stderr } = await plan(...LOAD, '--latency-budget', '10s', '--window', '20s');
    expect(exitCode).toBe(EXIT_CODES.refused);
    expect(stderr).toContain('it may be 8 s at most');
    const shorter = await plan(...LOAD, '--latency-budget', '10s', '--window', '3s');
    expect(shorter.exitCode).toBe(EXIT_CODES.success);
    expect(oneLine(shorter.stdout)).toContain('window 3 s');
  });

  test.each([
    [['--devices', '10', '--period', '10s']],
    [[...LOAD, '--devices', '0']],
    [[...LOAD, '--devices', '1e3']],
    [[...LOAD, '--period', 'often']],
    [[...LOAD, '--period', '0s']],
    [[...LOAD, '--period', '30d']],
    [[...LOAD, '--bytes', '999999999']],
    [[...LOAD, '--window', '301s']],
    [[...LOAD, '--window', '1500ms']],
    [[...LOAD, '--shard-use', '']],
    [[...LOAD, '--latency-budget', 'soon']],
    [[...LOAD, '--linger', '2m']],
    [[...LOAD, '--producers', '0']],
    [[...LOAD, '--output', 'xml']],
  ])('is wrong usage: %j', async (flags) => {
    const { exitCode, stderr } = await plan(...flags);
    expect(exitCode).toBe(EXIT_CODES.usage);
    expect(stderr.length).toBeGreaterThan(10);
  });
});

test('the help names every flag, with examples', async () => {
  const { exitCode, stdout } = await plan('--help');
  expect(exitCode).toBe(EXIT_CODES.success);
  for (const flag of [
    'devices',
    'period',
    'bytes',
    'latency-budget',
    'window',
    'aggregate',
    'linger',
    'producers',
    'state-bytes',
  ]) {
    expect(stdout).toContain(`--${flag}`);
  }
  expect(stdout).toContain('twinstream ops plan --devices 10000 --period 10s --bytes 170');
});
