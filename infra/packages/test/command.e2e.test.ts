import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Finished, finished } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs it as a user does. What it says without a process of its own is tested in program.test.ts, at a tenth of the time. */
function twinstream(...args: string[]): Promise<Finished> {
  return finished(spawn(`${ROOT}bin/twinstream`, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
}

describe('twinstream', () => {
  test('runs the command that is named, and no other', async () => {
    for (const [argv, usage] of [
      [['start', '--help'], 'twinstream start '],
      [['simulate', '--help'], 'twinstream simulate '],
      [['help', 'adopt'], 'twinstream adopt '],
      [['doctor', '--help'], 'twinstream ops doctor '],
      [['load-test', '--help'], 'twinstream load-test '],
    ] as const) {
      const { stdout, code } = await twinstream(...argv);
      expect(stdout.startsWith(`Usage: ${usage}`), stdout).toBe(true);
      expect(code).toBe(0);
    }
  }, 60_000);

  test('says its version', async () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
    expect(await twinstream('--version')).toMatchObject({ stdout: `${version}\n`, code: 0 });
  });

  test('ends with 2 where a command is mistyped', async () => {
    expect(await twinstream('strat')).toEqual({
      stdout: '',
      stderr: "error: unknown command 'strat'\n(Did you mean start?)\n",
      code: 2,
    });
  });

  test('completes, and prints the script that has a shell ask it', async () => {
    expect((await twinstream('complete', '--', 'st')).stdout).toMatch(/^start\t/);
    expect((await twinstream('completion', 'bash')).stdout).toContain('complete -F');
  });

  test('writes no colours into a pipe', async () => {
    const { stdout, code } = await twinstream(
      ...['ops', 'plan', '--devices', '10', '--period', '10s', '--bytes', '170'],
    );
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
  });
});
