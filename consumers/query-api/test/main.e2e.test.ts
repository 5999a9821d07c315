import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Nothing listens there: the stores are away. */
const AWAY = 'http://127.0.0.1:9';
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL: AWAY,
      AWS_MAX_ATTEMPTS: '1',
      TWINSTREAM_ARCHIVE_BUCKET: 'archive',
      TWINSTREAM_LOG_LEVEL: 'silent',
      ...environment,
    },
  });
  children.push(child);
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  return { child, errors: () => errors, ended: once(child, 'exit') };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the process has no output');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return String(line);
}

describe('the process', () => {
  test('says where it listens, lives while its stores are away, and ends with 0 when asked to', async () => {
    const { child, ended } = run({ TWINSTREAM_API_PORT: '0' });
    const { url } = JSON.parse(await firstLine(child));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const away = await fetch(`${url}/v1/devices`);
    expect(away.status).toBe(503);
    expect(await away.json()).toMatchObject({ code: 'UNAVAILABLE' });
    child.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
  });

  test('ends with 1 and one line when its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const { ended, errors } = run({ TWINSTREAM_API_PORT: String(address.port) });
    expect((await ended)[0]).toBe(1);
    expect(errors()).toBe(
      `query-api: port ${address.port} is taken: choose another, or stop what listens there\n`,
    );
    server.close();
  });

  test('ends with 1 and names the variables that are wrong', async () => {
    const { ended, errors } = run({ TWINSTREAM_API_PORT: 'eighty', TWINSTREAM_STALE_AFTER: 'soon' });
    expect((await ended)[0]).toBe(1);
    expect(errors()).toContain('TWINSTREAM_API_PORT: a port');
    expect(errors()).toContain('TWINSTREAM_STALE_AFTER');
    expect(errors()).not.toContain(' at ');
  });
});
