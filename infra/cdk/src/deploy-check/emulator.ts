import { type ChildProcess, spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@twinstream/runtime';
import { freePort } from '@twinstream/runtime/free-port';
import { type PythonTool, pythonTool } from '../python/python-tool.ts';

/** An independent emulator of AWS that runs Node functions without Docker. */
const MINISTACK = 'ministack==1.5.33';
/** A Lambda runtime brings the SDK; functions that CDK itself makes count on it. */
const NODE_MODULES_DIR = fileURLToPath(new URL('../../../../node_modules', import.meta.url));
const START_SCRIPT = fileURLToPath(new URL('start_emulator.py', import.meta.url));
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;
const LOOK_MS = 200;
const OUTPUT_CHARACTERS_MAX = 4_000;

export const EMULATED_ACCOUNT = '000000000000';
export const EMULATED_REGION = 'us-east-1';

export interface Emulator {
  readonly url: string;
  /** The variables by which the CDK, the SDK and the functions find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** The end of what it has said. */
  output(): string;
  close(): Promise<void>;
}

/** Where it is, or why it cannot be had here. */
export function findEmulator(): Promise<PythonTool> {
  return pythonTool(MINISTACK, 'ministack', ['cbor2']);
}

/** Starts the emulator on a free port of 127.0.0.1. Throws `EMULATOR_FAILED` when it does not come up in time. */
export async function startEmulator(binDir: string): Promise<Emulator> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(join(binDir, 'python'), [START_SCRIPT], {
    env: {
      // Its functions run on the Node that runs this.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      NODE_PATH: NODE_MODULES_DIR,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: its workers end with it.
    detached: true,
  });
  let output = '';
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
    });
  }
  const emulator: Emulator = {
    url,
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_ENDPOINT_URL_S3: url,
      AWS_REGION: EMULATED_REGION,
      AWS_DEFAULT_REGION: EMULATED_REGION,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
    output: () => output,
    close: () => stop(child),
  };
  for (const giveUpAt = Date.now() + START_MS_MAX; Date.now() < giveUpAt; ) {
    if (child.exitCode !== null) break;
    const isReady = await fetch(`${url}/_ministack/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return emulator;
    await delay(LOOK_MS);
  }
  await emulator.close();
  throw new CodedError('EMULATOR_FAILED', `the emulator did not start:\n${output}`);
}

async function stop(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.kill(-pid, 'SIGTERM');
  const isEnded = await Promise.race([ended.then(() => true), delay(STOP_MS_MAX, false, { ref: false })]);
  if (isEnded) return;
  process.kill(-pid, 'SIGKILL');
  await ended;
}
