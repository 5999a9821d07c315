import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { LabConsumer } from '../src/lab-consumer.ts';

const CONSUMER = new URL('../src/lab-consumer.ts', import.meta.url).href;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a kill does not wait for a process that has left the group with the output', async () => {
  const pids: number[] = [];
  const consumer = new LabConsumer({
    command: ['sh', '-c', 'setsid sleep 30 & echo $!; exec sleep 30'],
    folder: '.',
    environment: process.env,
    onLine: (line) => void pids.push(Number(line)),
  });
  try {
    consumer.start();
    await expect.poll(() => pids).toHaveLength(1);
    const startedMs = performance.now();
    await consumer.restart();
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    await expect.poll(() => pids).toHaveLength(2);
  } finally {
    // Before the stop, which otherwise waits until its deadline.
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await consumer.stop();
  }
});

test.each(['SIGKILL', 'SIGHUP'] as const)('a consumer ends when the lab is ended by %s', async (signal) => {
  const script = `import { LabConsumer } from '${CONSUMER}';
    const command = ['sh', '-c', 'trap "" TERM HUP; echo $$; while :; do sleep 1; done'];
    const onLine = (line) => process.stdout.write(line);
    new LabConsumer({ command, folder: '.', environment: process.env, onLine }).start();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  const [first] = await once(child.stdout.setEncoding('utf8'), 'data');
  const pid = Number(first);
  expect(isRunning(pid)).toBe(true);
  child.kill(signal);
  try {
    await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false);
  } finally {
    if (isRunning(pid)) process.kill(-pid, 'SIGKILL');
  }
});

test('a consumer that ignores SIGTERM ends with the lab, also where the lab is not asked', async () => {
  const script = `import { LabConsumer } from '${CONSUMER}';
    const command = ['sh', '-c', 'trap "" TERM; echo $$; while :; do sleep 1; done'];
    const onLine = (line) => process.stdout.write(line, () => process.exit(130));
    new LabConsumer({ command, folder: '.', environment: process.env, onLine }).start();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(child, 'close');
  const pid = Number(text);
  expect(pid).toBeGreaterThan(1);
  try {
    await expect.poll(() => isRunning(pid), { timeout: 3_000 }).toBe(false);
  } finally {
    if (isRunning(pid)) process.kill(-pid, 'SIGKILL');
  }
});
