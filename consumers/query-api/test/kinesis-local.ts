import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { freePort } from '@twinstream/runtime/free-port';

const READY_MS_MAX = 30_000;
const POLL_MS = 50;
/** Its settings of how long a stream stays in a state. */
const TRANSITIONS = ['CREATE_STREAM_DURATION', 'SPLIT_SHARD_DURATION', 'MERGE_SHARDS_DURATION'] as const;

/** Waits until it is so, for a while. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  withinMs = READY_MS_MAX,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(POLL_MS);
  }
}

/** The maintained Kinesis emulator, in a process of its own. */
export interface KinesisLocal {
  readonly client: KinesisClient;
  /** Creates a stream and waits until it is active. */
  createStream(streamName: string, shardCount: number): Promise<void>;
  waitUntilActive(streamName: string): Promise<void>;
  stop(): Promise<void>;
}

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
      ...Object.fromEntries(TRANSITIONS.map((name) => [name, '20ms'])),
      LOG_LEVEL: 'ERROR',
    },
  });
  const exit = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await until('kinesis-local is ready', async () => {
    if (child.exitCode !== null) throw new Error(`kinesis-local ended with ${child.exitCode}`);
    return (await fetch(`${url}/healthcheck`).catch(() => undefined))?.ok === true;
  });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = kinesisClient({ endpoint: url, region: 'us-east-1', credentials });
  const waitUntilActive = (StreamName: string) =>
    until(`${StreamName} is active`, async () => {
      const { StreamDescriptionSummary } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      );
      return StreamDescriptionSummary?.StreamStatus === 'ACTIVE';
    });
  return {
    client,
    createStream: async (streamName, shardCount) => {
      await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shardCount }));
      await waitUntilActive(streamName);
    },
    waitUntilActive,
    stop: async () => {
      client.destroy();
      child.kill('SIGKILL');
      await exit;
    },
  };
}
