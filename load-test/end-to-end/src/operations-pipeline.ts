import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { lambdaClient } from '@twinstream/aws/lambda';
import { s3Client } from '@twinstream/aws/s3';
import { collectedOutput } from '@twinstream/command-line';
import type { DeviceId, StoredEvent } from '@twinstream/device-model';
import type { EventStore } from '@twinstream/event-store';
import { OPERATIONS_SERVICES, type OperationsHost, operationsCommand } from '@twinstream/operations';
import { chooseTarget, systemClock } from '@twinstream/runtime';
import type { Finished } from '@twinstream/test-kit';
import type { RunningPipeline } from './running-pipeline.ts';

const OPS = fileURLToPath(new URL('../../../consumers/operations/src/main.ts', import.meta.url));

export type Item = Record<string, AttributeValue>;

/** The commands of operators, run against a pipeline as a person would. */
export interface Operations {
  ops(...args: string[]): Promise<Finished>;
  /** A command that is under way. */
  startOps(...args: string[]): ChildProcess;
  /** What a command prints as JSON. Throws when it ends with another code than this. */
  json(code: number, ...args: string[]): Promise<Record<string, unknown>>;
}

export function operationsOf({ environment }: RunningPipeline, folder: string): Operations {
  // The SDK reads endpoints and credentials there, in this process as in that of a command.
  Object.assign(process.env, environment);
  const startOps = (...args: string[]) =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', OPS, ...args], {
      cwd: folder,
      env: process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const ops = (...args: string[]) => runOps(folder, args);
  return {
    ops,
    startOps,
    json: async (code, ...args) => {
      const { code: found, stdout, stderr } = await ops(...args, '--output', 'json');
      if (found !== code) throw new Error(`${args.join(' ')} ended with ${found}: ${stdout}${stderr}`);
      return JSON.parse(stdout);
    },
  };
}

/** A command in this process: as the main module runs it, without the second that a process takes to start. */
async function runOps(folder: string, argv: readonly string[]): Promise<Finished> {
  const [stdout, stderr] = [collectedOutput(), collectedOutput()];
  const host: OperationsHost = {
    argv,
    folder,
    environment: process.env,
    stdout,
    stderr,
    ask: async () => undefined,
    clock: systemClock,
    stop: new AbortController().signal,
  };
  const code = await operationsCommand(host, {
    enterTarget: (asked) =>
      chooseTarget({ cwd: folder, environment: process.env, services: OPERATIONS_SERVICES, asked }),
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

export function tablesOf({ environment }: RunningPipeline): DynamoDBClient {
  return dynamoDbClient({
    endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

export function s3Of({ environment }: RunningPipeline): S3Client {
  return s3Client({
    endpoint: environment.AWS_ENDPOINT_URL_S3 ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

export function lambdaOf({ environment }: RunningPipeline): LambdaClient {
  return lambdaClient({
    endpoint: environment.AWS_ENDPOINT_URL_LAMBDA ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

export async function itemsOf(client: DynamoDBClient, table: string): Promise<Item[]> {
  const items: Item[] = [];
  for await (const { Items = [] } of paginateScan({ client }, { TableName: table })) items.push(...Items);
  return items;
}

function keyOf({ deviceId, key }: Item): Item {
  if (deviceId === undefined) throw new TypeError('an item without a device');
  return key === undefined ? { deviceId } : { deviceId, key };
}

export async function deleteItems(
  client: DynamoDBClient,
  table: string,
  items: readonly Item[],
): Promise<void> {
  for (const item of items) await client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(item) }));
}

export async function putItem(client: DynamoDBClient, table: string, item: Item): Promise<void> {
  await client.send(new PutItemCommand({ TableName: table, Item: item }));
}

/** Items of a table by key, members in the order of their names. */
export async function contentOf(client: DynamoDBClient, table: string): Promise<Map<string, string>> {
  const items = await itemsOf(client, table);
  return new Map(items.map((item) => [`${item.deviceId?.S} ${item.key?.S ?? ''}`, ordered(item)]));
}

function ordered(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    if (member instanceof Uint8Array) return Buffer.from(member).toString('base64');
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Every stored event that arrived at or after a time, by device in chain order. */
export async function eventsFrom(
  store: EventStore,
  timeMs: number,
): Promise<Map<DeviceId, readonly StoredEvent[]>> {
  const devices = new Map<DeviceId, readonly StoredEvent[]>();
  for await (const deviceId of store.deviceIds()) {
    const events: StoredEvent[] = [];
    for await (const page of store.pages(deviceId, { consistent: true })) {
      events.push(...page.events.filter(({ arrivalTime }) => arrivalTime >= timeMs));
    }
    if (events.length > 0) devices.set(deviceId, events);
  }
  return devices;
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
