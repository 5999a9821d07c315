import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { ListBucketsCommand, PutBucketTaggingCommand } from '@aws-sdk/client-s3';
import { deviceSchema } from '@twinstream/api-contract';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { s3Client } from '@twinstream/aws/s3';
import { CodedError } from '@twinstream/runtime';
import { z } from 'zod';
import { cdk } from './cdk-command.ts';
import { layOutCommit } from './commit-before.ts';
import {
  type ClientOptions,
  type DeployedNames,
  expectedFindings,
  type Findings,
  look,
  OUTPUTS,
} from './deployed-pipeline.ts';
import { EMULATED_ACCOUNT, EMULATED_REGION, type Emulator, findEmulator, startEmulator } from './emulator.ts';
import { NOT_EMULATED } from './not-emulated.ts';
import { type SentEvents, sendEvents } from './sent-events.ts';
import { askApi } from './signed-request.ts';
import { requireKept, statefulResources } from './stateful-resources.ts';

const STACK = 'Twinstream-dev';
const CONTEXT = ['-c', 'stage=dev', '-c', 'iot=true', '-c', 'statusEvents=true'];
const ARRIVE_MS_MAX = 90_000;
const LOOK_MS = 500;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/**
 * Deploys the stacks of a commit before this one into an emulator, and these over them; sends events through both, holds everything stored to
 * what was sent, and takes it down.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { required: { type: 'boolean', default: false }, before: { type: 'string', default: 'HEAD~1' } },
  });
  const found = await findEmulator();
  if (!found.isThere) {
    say(`deploy:check skipped: ${found.reason}`);
    return values.required ? 1 : 0;
  }
  const emulator = await startEmulator(found.binDir);
  const folder = mkdtempSync(join(tmpdir(), 'twinstream-deploy-check-'));
  try {
    await check(emulator, folder, values.before);
    return 0;
  } catch (error) {
    process.stderr.write(`the emulator's last words:\n${emulator.output()}\n`);
    throw error;
  } finally {
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function check(emulator: Emulator, folder: string, ref: string): Promise<void> {
  const { environment, url } = emulator;
  const client: ClientOptions = {
    endpoint: url,
    region: EMULATED_REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const out = ['--output', join(folder, 'cdk.out')];
  const start = performance.now();
  const seconds = (): string => `${Math.round((performance.now() - start) / 1_000)} s`;

  await cdk(['bootstrap', `aws://${EMULATED_ACCOUNT}/${EMULATED_REGION}`, '--app', ''], environment);
  const sendAndFind = async (names: DeployedNames, before?: SentEvents): Promise<SentEvents> => {
    const sent = await sendEvents(names.StreamName, client, before);
    say(
      `put ${sent.recordCount} records of ${sent.deviceIds.length} devices so far, ${sent.poisonCount} broken (${seconds()})`,
    );
    say(`stored ${JSON.stringify(await untilStored(names, sent, client))} (${seconds()})`);
    return sent;
  };
  const other = await layOutCommit(ref, folder);
  let before: { readonly sent: SentEvents; readonly kept: ReadonlyMap<string, string> } | undefined;
  if (other.isThere) {
    const names = await deploy(environment, folder, other.cdkDir);
    say(`deployed ${STACK} of ${other.commit} (${seconds()})`);
    before = { sent: await sendAndFind(names), kept: await statefulResources(STACK, client) };
  } else {
    say(`deployed over nothing: ${other.reason}`);
  }

  const names = await deploy(environment, folder);
  say(`deployed ${STACK} (${seconds()})`);
  if (before !== undefined) {
    requireKept(before.kept, await statefulResources(STACK, client));
    say(`kept ${before.kept.size} resources that hold state (${seconds()})`);
  }
  const sent = await sendAndFind(names, before?.sent);
  await askDeployedApi(names, sent, client);
  say(`the API answers who signs, and refuses who does not (${seconds()})`);

  await tagBuckets(client);
  await cdk(['destroy', STACK, ...out, ...CONTEXT, '--force'], environment);
  await requireNothingLeft(client);
  say(`destroyed (${seconds()})`);
  say('not emulated, and covered elsewhere:');
  for (const { what, coveredBy } of NOT_EMULATED) say(`  ${what}: ${coveredBy}`);
}

/** Deploys the pipeline of an app, and returns the names that it tells. */
async function deploy(
  environment: Readonly<Record<string, string>>,
  folder: string,
  cdkDir?: string,
): Promise<DeployedNames> {
  const outputsFile = join(folder, 'outputs.json');
  const out = ['--output', join(folder, 'cdk.out'), '--outputs-file', outputsFile];
  await cdk(['deploy', STACK, ...out, ...CONTEXT, '--require-approval', 'never'], environment, cdkDir);
  const outputs = z.record(z.string(), OUTPUTS).parse(JSON.parse(readFileSync(outputsFile, 'utf8')));
  const names = outputs[STACK];
  if (names === undefined) throw new CodedError('DEPLOY_CHECK_FAILED', `${STACK} told no names`);
  return names;
}

async function untilStored(names: DeployedNames, sent: SentEvents, client: ClientOptions): Promise<Findings> {
  const expected = Object.entries(expectedFindings(sent));
  let found: Findings;
  const giveUpAt = Date.now() + ARRIVE_MS_MAX;
  do {
    found = await look(names, sent, client);
    const actual = new Map<string, number>(Object.entries(found));
    if (expected.every(([name, count]) => actual.get(name) === count) && found.shardsWithProgress > 0) {
      return found;
    }
    await delay(LOOK_MS);
  } while (Date.now() < giveUpAt);
  throw new CodedError(
    'DEPLOY_CHECK_FAILED',
    `stored: ${JSON.stringify(found)}; expected: ${JSON.stringify(expectedFindings(sent))}`,
  );
}

async function askDeployedApi(names: DeployedNames, sent: SentEvents, client: ClientOptions): Promise<void> {
  const [deviceId] = sent.deviceIds;
  const url = new URL(`/v1/devices/${deviceId}`, names.ApiUrl);
  const unsigned = await askApi(url);
  if (unsigned.status !== 403) throw unexpected(`${url} without a signature`, unsigned);
  const signed = await askApi(url, client);
  if (signed.status !== 200) throw unexpected(`${url}`, signed);
  const device = deviceSchema.parse(JSON.parse(signed.body));
  if (
    device.deviceId !== deviceId ||
    device.attributes.reading !== sent.lastReading ||
    device.counts.events !== sent.eventsADevice
  ) {
    throw unexpected(`${url}`, signed);
  }
  const health = await askApi(new URL('/healthz', names.ApiUrl));
  if (health.status !== 200) throw unexpected('/healthz', health);
}

function unexpected(what: string, answer: { readonly status: number; readonly body: string }): CodedError {
  return new CodedError('DEPLOY_CHECK_FAILED', `${what} answered ${answer.status}: ${answer.body}`);
}

/** CDK's own function empties buckets that bear its tag, and the emulator forgets the tags of buckets that a stack makes. */
async function tagBuckets(client: ClientOptions): Promise<void> {
  const s3 = s3Client(client);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const Tagging = { TagSet: [{ Key: 'aws-cdk:auto-delete-objects', Value: 'true' }] };
  for (const { Name: Bucket = '' } of Buckets) {
    if (Bucket.startsWith(STACK.toLowerCase()))
      await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging }));
  }
  s3.destroy();
}

async function requireNothingLeft(client: ClientOptions): Promise<void> {
  const dynamoDb = dynamoDbClient(client);
  const kinesis = kinesisClient(client);
  const { TableNames = [] } = await dynamoDb.send(new ListTablesCommand({}));
  const { StreamNames = [] } = await kinesis.send(new ListStreamsCommand({}));
  dynamoDb.destroy();
  kinesis.destroy();
  const s3 = s3Client(client);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  s3.destroy();
  const buckets = Buckets.flatMap(({ Name = '' }) => (Name.startsWith(STACK.toLowerCase()) ? [Name] : []));
  const left = [...TableNames, ...StreamNames, ...buckets];
  if (left.length > 0) throw new CodedError('DEPLOY_CHECK_FAILED', `left behind: ${left.join(', ')}`);
}

process.exitCode = await main();
