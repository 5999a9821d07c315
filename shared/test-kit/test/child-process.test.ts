import { spawn } from 'node:child_process';
import { kill, readyLine, readyMessage, runNode } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';

const start = (source: string) =>
  spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
const STAYS = 'setTimeout(() => {}, 60_000);';

describe('a child process', () => {
  test('is ready with the line that says so', async () => {
    const child = start(`console.log('loading'); console.log('ready at 1'); console.log('more'); ${STAYS}`);
    expect(await readyLine(child, { isReady: (line) => line.startsWith('ready') })).toBe('ready at 1');
    await kill(child);
    expect(child.signalCode).toBe('SIGKILL');
    await kill(child);
  });

  test('is ready with its first message', async () => {
    const child = start(`process.send(17); ${STAYS}`);
    expect(await readyMessage(child)).toBe(17);
    await kill(child, 'SIGTERM');
  });

  test('that ends first says why on standard error', async () => {
    const child = start(`console.error('no such port'); process.exit(3);`);
    await expect(readyLine(child)).rejects.toThrow(/ended with 3 .*no such port/);
  });

  test('that is not ready in time is killed', async () => {
    const child = start(STAYS);
    await expect(readyLine(child, { withinMs: 50 })).rejects.toThrow('not ready within 50 ms');
    await kill(child);
  });

  test('that runs to its end has a code, an output and errors', async () => {
    expect(await runNode(['-e', `console.log('out'); console.error('err'); process.exitCode = 2;`])).toEqual({
      code: 2,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });
});
