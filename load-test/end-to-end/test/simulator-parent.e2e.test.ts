import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { readyLine } from '@twinstream/test-kit';
import { expect, test, vi } from 'vitest';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a simulator that a test has started ends when the test run is killed with kill -9', async () => {
  // A Kinesis that never answers: the simulator would wait for it.
  const kinesis = createServer().listen(0, '127.0.0.1');
  await once(kinesis, 'listening');
  const address = kinesis.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  const main = fileURLToPath(new URL('./simulator-parent.ts', import.meta.url));
  const environment = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${address.port}`,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  const parent = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const asked = once(kinesis, 'connection');
  const pid = Number(await readyLine(parent));
  const [connection] = await asked;
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  try {
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000 });
  } finally {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    connection.destroy();
    kinesis.close();
  }
});
