import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES } from '@twinstream/command-line';
import { afterAll, describe, expect, test } from 'vitest';
import { launchPipeline, refusedStart, temporaryFolder } from '../src/running-pipeline.ts';

const folder = temporaryFolder();
const DATA = ['--data-dir', join(folder.path, 'data')];
afterAll(() => folder.dispose());

function childrenOf(pid: number): readonly number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=']).toString().trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a pipeline in a folder', () => {
  test('refuses a second one there, restarts soon after kill -9 of its supervisor, and ends when DynamoDB is killed', async () => {
    const first = await launchPipeline({
      folder: folder.path,
      flags: DATA,
      // A shell that is used with AWS.
      environment: { AWS_PROFILE: 'no-such-profile', AWS_REGION: 'eu-west-1' },
    });
    expect((await first.simulate('--count', '50', '--rate', 'max')).code).toBe(0);
    await first.caughtUp();

    const refused = await refusedStart(folder.path, '--port', '0');
    expect(refused.code).toBe(EXIT_CODES.refused);
    expect(refused.stderr).toMatch(
      new RegExp(
        `^twinstream: a pipeline runs here already: process ${first.pid}, its API is ${first.apiUrl} `,
      ),
    );
    expect(first.environmentNow()).toEqual(first.environment);

    // Buffered for the archive, whose store goes with the supervisor: nothing may wait for that.
    const children = childrenOf(first.pid);
    expect(children.length).toBeGreaterThan(4);
    process.kill(first.pid, 'SIGKILL');
    await expect.poll(() => children.filter(isAlive), { timeout: 8_000 }).toEqual([]);

    let stderr = '';
    const second = await launchPipeline({
      folder: folder.path,
      flags: DATA,
      onErrorLine: (line) => (stderr += `${line}\n`),
    });
    await second.caughtUp();

    const engine = Number(second.environment.TWINSTREAM_PID_DYNAMODB);
    const secondChildren = childrenOf(second.pid);
    process.kill(engine, 'SIGKILL');
    expect(await second.ended).toBe(EXIT_CODES.unavailable);
    expect(stderr).toContain(
      `twinstream: the emulator of DynamoDB (dynalite, process ${engine}) ended by SIGKILL`,
    );
    expect(secondChildren.filter(isAlive)).toEqual([]);
    expect(existsSync(join(folder.path, '.twinstream', 'local.env'))).toBe(false);
  }, 180_000);
});
