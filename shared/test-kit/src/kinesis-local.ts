import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@twinstream/runtime/free-port';
import { kill } from './child-process.ts';
import { until } from './until.ts';

const READY_MS_MAX = 30_000;
const SHARDS_MAX = 500;
/** Its settings of how long a stream stays in a state. */
const TRANSITIONS = [
  'CREATE_STREAM_DURATION',
  'DELETE_STREAM_DURATION',
  'MERGE_SHARDS_DURATION',
  'SPLIT_SHARD_DURATION',
  'UPDATE_SHARD_COUNT_DURATION',
] as const;

export interface KinesisLocal {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/** The maintained Kinesis emulator, in a process of its own: streams change their state within 20 ms. */
export async function startKinesisLocal(): Promise<KinesisLocal> {
  const main = fileURLToPath(import.meta.resolve('kinesis-local'));
  const [port, tlsPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [main], {
    // It reads a certificate from the folder it runs in.
    cwd: dirname(main),
    stdio: 'ignore',
    env: {
      ...process.env,
      KINESIS_MOCK_PLAIN_PORT: String(port),
      KINESIS_MOCK_TLS_PORT: String(tlsPort),
      SHARD_LIMIT: String(SHARDS_MAX),
      ...Object.fromEntries(TRANSITIONS.map((name) => [name, '20ms'])),
      LOG_LEVEL: 'ERROR',
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`kinesis-local ended with ${child.exitCode}`);
    return (await fetch(`${url}/healthcheck`).catch(() => undefined))?.ok === true;
  };
  try {
    await until('kinesis-local is ready', isReady, READY_MS_MAX);
  } catch (error) {
    await kill(child);
    throw error;
  }
  return { url, port, child, stop: () => kill(child) };
}
