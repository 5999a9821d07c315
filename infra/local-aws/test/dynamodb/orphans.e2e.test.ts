import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readyLine } from '@twinstream/test-kit';
import { expect, it, vi } from 'vitest';
import { DYNAMODB_ENGINES } from '../../src/dynamodb/dynamodb.ts';

function hasJava(): boolean {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

// DynamoDB Local needs Java, which the pipeline itself does not.
it.each(DYNAMODB_ENGINES.filter((engine) => engine !== 'java' || hasJava()))(
  'engines (%s and S3) end when their parent is killed with kill -9',
  async (engine) => {
    const main = fileURLToPath(new URL('./parent-process.ts', import.meta.url));
    const parent = spawn(process.execPath, [main, engine], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pids: readonly number[] = JSON.parse(await readyLine(parent));
    expect(pids.map(isAlive)).toEqual([true, true]);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 20_000 });
  },
);
