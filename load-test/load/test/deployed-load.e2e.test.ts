import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import { DeleteEventSourceMappingCommand, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { lambdaClient } from '@twinstream/aws/lambda';
import { s3Client } from '@twinstream/aws/s3';
import { EXIT_CODES } from '@twinstream/command-line';
import {
  deleteItems,
  itemsOf,
  launchPipeline,
  localAccess,
  type RunningPipeline,
  tablesOf,
  temporaryFolder,
} from '@twinstream/end-to-end';
import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';
import { finished } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FoundDeployment } from '../src/attached-deployment.ts';
import { attachedDeployment, reachDeployment } from '../src/attached-deployment.ts';
import type { Deployment } from '../src/deployment.ts';
import type { LoadOptions } from '../src/load-options.ts';
import type { LoadResult } from '../src/load-result.ts';
import { measureLoad } from '../src/measure-load.ts';
import { runLoad } from '../src/run-load.ts';

// A pipeline on this machine stands in for one on AWS: the command finds it by nothing but its environment.

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const RUN_TIMEOUT_MS = 180_000;
const CHANGE_TIMEOUT_MS = 60_000;
const GENTLE = ['--rate', '60', '--devices', '12', '--duration', '3s', '--warm-up', '1s', '--aggregate'];
const OPTIONS: LoadOptions = {
  kind: 'measure',
  target: 'aws',
  isConfirmed: true,
  scenario: 'steady',
  rate: 60,
  durationMs: 3_000,
  deviceCount: 12,
  aggregate: false,
  seed: 5,
  dynamodb: 'dynalite',
  windowMs: 200,
  expectations: [],
  output: 'json',
  baseline: false,
  findRate: false,
  drainDeadlineMs: 120_000,
  archiveDeadlineMs: 5_000,
  warmUpMs: 0,
};

const folder = temporaryFolder();
let pipeline: RunningPipeline;

beforeAll(async () => {
  pipeline = await launchPipeline({ folder: folder.path, flags: ['--shards', '2'] });
}, RUN_TIMEOUT_MS);
afterAll(async () => {
  await pipeline?.stop();
  folder.dispose();
}, RUN_TIMEOUT_MS);

/** The command as a person calls it, with the pipeline's variables but for those that are overridden. */
function start(args: readonly string[], overridden: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, '--target', 'aws', ...args],
    {
      cwd: folder.path,
      env: {
        ...process.env,
        ...pipeline.environment,
        TWINSTREAM_PROJECTOR_FUNCTION: 'state-projector',
        ...overridden,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

async function run(...args: string[]): Promise<LoadResult> {
  const { code, stdout, stderr } = await finished(start([...args, '--yes', '--output', 'json']));
  expect(code, stderr + stdout).toBe(0);
  return JSON.parse(stdout);
}

function found(): FoundDeployment {
  return {
    access: localAccess(pipeline.environment),
    region: 'us-east-1',
    projectorFunction: 'state-projector',
    environment: { ...process.env, ...pipeline.environment },
  };
}

async function attach(): Promise<Deployment & { readonly folder: string }> {
  const own = temporaryFolder();
  const reached = await reachDeployment(found(), 'steady');
  const deployment = attachedDeployment(reached, own.path);
  const stop = async () => {
    await deployment.stop();
    own.dispose();
  };
  return { ...deployment, stop, folder: own.path };
}

async function mapping() {
  const client = lambdaClient(localAccess(pipeline.environment).clients.lambda);
  const FunctionName = 'state-projector';
  const { EventSourceMappings } = await client.send(new ListEventSourceMappingsCommand({ FunctionName }));
  client.destroy();
  return EventSourceMappings?.[0];
}

const mappingState = async () => (await mapping())?.State;

async function shardCount(): Promise<number | undefined> {
  const access = localAccess(pipeline.environment);
  const client = kinesisClient(access.clients.kinesis);
  const { StreamDescriptionSummary: summary } = await client.send(
    new DescribeStreamSummaryCommand({ StreamName: access.stream }),
  );
  client.destroy();
  return summary?.OpenShardCount;
}

const until = (isSo: () => Promise<boolean>) =>
  expect.poll(isSo, { timeout: CHANGE_TIMEOUT_MS, interval: 50 }).toBe(true);

describe('a load on a pipeline that is deployed', () => {
  test(
    'leaves the ledger clean twice, beside the events of others, and invents no figure',
    async () => {
      await pipeline.simulate('--devices', '12', '--rate', '50', '--count', '100', '--seed', '1');
      const first = await run(...GENTLE);
      const others = pipeline.startSimulator('--devices', '12', '--rate', '50', '--seed', '1');
      const second = await run(...GENTLE, '--scenario', 'poison').finally(() => others.kill('SIGINT'));
      for (const { passed, subjects, load } of [first, second]) {
        expect(passed).toBe(true);
        expect(load).toMatchObject({ shards: 2, dynamodb: 'AWS in us-east-1' });
        const { ledger, figures, notes, processes, series } = subjects[0] ?? {};
        expect(ledger).toMatchObject({ devices: 12, violations: [] });
        expect(ledger?.stored).toBe(ledger?.sent);
        expect(ledger?.archived).toBe((ledger?.sent ?? 0) + (ledger?.malformed ?? 0));
        expect(figures).toMatchObject({ cpuSeconds: null, memoryMaxMiB: null, writeUnitsPerEvent: null });
        expect(figures).toMatchObject({ projectedPerSecond: null, archivedPerSecond: null });
        expect(figures?.p99Ms).toBeGreaterThan(0);
        expect(figures?.finishedP99Ms).toBeGreaterThan(0);
        expect(figures?.eventsPerPage).toBeGreaterThanOrEqual(1);
        expect(processes).toEqual([]);
        expect(Object.keys(series?.throughput ?? {})).toEqual(['due', 'acknowledged']);
        expect(notes?.join('\n')).toMatch(/memoryMaxMiB not known: .*logs/);
      }
      expect(first.subjects[0]?.ledger.sent).toBe(240);
      expect(second.subjects[0]?.ledger.malformed).toBeGreaterThan(0);
    },
    2 * RUN_TIMEOUT_MS,
  );

  test(
    'finds a state, a page and an archived object that are gone',
    async () => {
      const deployment = await attach();
      const tampered: Deployment = {
        ...deployment,
        check: async (work) => {
          await takeAway(deployment.devicePrefix);
          return deployment.check(work);
        },
      };
      const { signal } = new AbortController();
      const { folder: own } = deployment;
      const measurement = {
        deployment: tampered,
        options: OPTIONS,
        folder: own,
        signal,
        say: () => undefined,
      };
      const { ledger } = await measureLoad(measurement).finally(() => deployment.stop());
      expect(ledger.violationsByKind).toMatchObject({ 'state-missing': 1, 'page-missing': 1 });
      expect(ledger.violationsByKind.lost).toBeGreaterThan(0);
      expect(ledger.violationsByKind['not-archived']).toBeGreaterThan(0);
    },
    RUN_TIMEOUT_MS,
  );

  test(
    'puts shards back after resharding, and after Ctrl-C in it',
    async () => {
      await run('--scenario', 'reshard', ...GENTLE);
      expect(await shardCount()).toBe(2);

      const child = start(['--yes', '--scenario', 'reshard', ...GENTLE, '--duration', '12s']);
      const ended = finished(child);
      await until(async () => (await shardCount()) === 4);
      child.kill('SIGINT');
      const { code, stderr } = await ended;
      expect(code, stderr).toBe(130);
      expect(await shardCount()).toBe(2);
    },
    2 * RUN_TIMEOUT_MS,
  );

  test(
    'invokes the projector again after an outage, after Ctrl-C in it, and after a failure in it',
    async () => {
      await run('--scenario', 'consumer-outage', ...GENTLE);
      expect(await mappingState()).toBe('Enabled');

      const child = start(['--yes', '--scenario', 'consumer-outage', ...GENTLE, '--duration', '12s']);
      const ended = finished(child);
      await until(async () => (await mappingState()) === 'Disabled');
      child.kill('SIGINT');
      expect((await ended).code).toBe(130);
      expect(await mappingState()).toBe('Enabled');

      const deployment = await attach();
      const failing: Deployment = {
        ...deployment,
        startSimulator: (...args) => {
          const simulator = deployment.startSimulator(...args);
          void until(async () => (await mappingState()) === 'Disabled').then(() => simulator.kill('SIGKILL'));
          return simulator;
        },
      };
      const options: LoadOptions = { ...OPTIONS, scenario: 'consumer-outage', durationMs: 12_000 };
      const { signal } = new AbortController();
      const measurement = { deployment: failing, options, folder: deployment.folder, signal };
      const measured = measureLoad({ ...measurement, say: () => undefined });
      await expect(measured.finally(() => deployment.stop())).rejects.toMatchObject({
        code: 'SIMULATOR_FAILED',
      });
      expect(await mappingState()).toBe('Enabled');
    },
    2 * RUN_TIMEOUT_MS,
  );

  test(
    'names what it could not put back',
    async () => {
      const said: string[] = [];
      const options: LoadOptions = { ...OPTIONS, scenario: 'consumer-outage' };
      const { signal } = new AbortController();
      const running = runLoad({ options, found: found(), signal, say: (line) => said.push(line) });
      running.catch(() => undefined);
      await until(async () => (await mappingState()) === 'Disabled');
      const client = lambdaClient(localAccess(pipeline.environment).clients.lambda);
      await client.send(new DeleteEventSourceMappingCommand({ UUID: (await mapping())?.UUID }));
      client.destroy();
      await expect(running).rejects.toMatchObject({ code: 'SCENARIO_FAILED' });
      expect(said.join('\n')).toMatch(/NOT put back: the mapping of state-projector is to be enabled again/);
    },
    RUN_TIMEOUT_MS,
  );

  test('names everything that the environment lacks, in one message', async () => {
    const names = ['STREAM', 'EVENTS_TABLE', 'DEVICE_STATE_TABLE', 'SHARD_PROGRESS_TABLE', 'ARCHIVE_BUCKET'];
    const variables = ['AWS_REGION', ...names.map((name) => `TWINSTREAM_${name}`)];
    const noFile = join(folder.path, 'no-such-file');
    const { code, stderr } = await finished(
      start([...GENTLE, '--yes'], {
        ...Object.fromEntries(variables.map((name) => [name, ''])),
        AWS_CONFIG_FILE: noFile,
        AWS_SHARED_CREDENTIALS_FILE: noFile,
      }),
    );
    expect(code).toBe(2);
    for (const name of variables) expect(stderr).toContain(`${name}: must be `);
  });

  test('sends nothing where nobody agrees, and says what it would do and cost', async () => {
    const { code, stderr } = await finished(start(GENTLE));
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /about 240 events of 12 simulated devices .* stream device-events in us-east-1, at about [\d.,]+ dollars a million .*--yes/,
    );
  });

  test('sends nothing where a part of the deployment is not there', async () => {
    const { code, stderr } = await finished(
      start([...GENTLE, '--yes'], { TWINSTREAM_ARCHIVE_BUCKET: 'another' }),
    );
    expect(code).toBe(EXIT_CODES.unavailable);
    expect(stderr).toMatch(/bucket another: .*nothing was sent/);
    expect(stderr).not.toContain('warming up');
  });
});

/** Of the devices of a run: one state, the first page of another device, and every archive object of the pipeline. */
async function takeAway(devicePrefix: string): Promise<void> {
  const { clients, archiveBucket, deviceStateTable, eventsTable } = localAccess(pipeline.environment);
  const tables = tablesOf(pipeline);
  const isOwn = ({ deviceId }: { readonly deviceId?: { readonly S?: string | undefined } }) =>
    deviceId?.S?.startsWith(devicePrefix) === true;
  const states = (await itemsOf(tables, deviceStateTable)).filter(isOwn);
  await deleteItems(tables, deviceStateTable, states.slice(0, 1));
  const pages = (await itemsOf(tables, eventsTable)).filter(
    ({ deviceId }) => deviceId?.S === states[1]?.deviceId?.S,
  );
  const [firstPage] = pages.toSorted((a, b) => ((a.key?.S ?? '') < (b.key?.S ?? '') ? -1 : 1));
  await deleteItems(tables, eventsTable, firstPage === undefined ? [] : [firstPage]);
  tables.destroy();
  const s3 = s3Client(clients.s3);
  const listing = () => s3.send(new ListObjectsV2Command({ Bucket: archiveBucket, Prefix: ARCHIVE_PREFIX }));
  for (let quietRounds = 0; quietRounds < 3; ) {
    const { Contents = [] } = await listing();
    for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket: archiveBucket, Key }));
    quietRounds = Contents.length === 0 ? quietRounds + 1 : 0;
    await sleep(1_000);
  }
  s3.destroy();
}
