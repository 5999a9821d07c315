import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Finished, finished } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function twinstream(...args: string[]): Promise<Finished> {
  return finished(spawn(`${ROOT}bin/twinstream`, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
}

describe('twinstream', () => {
  test('lists its commands, each with its own help', async () => {
    const { stdout, code } = await twinstream('--help');
    expect(code).toBe(0);
    const names = [...stdout.matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(([, name = '']) => name);
    expect(names).toEqual(['start', 'simulate', 'adopt', 'ops', 'doctor', 'load-test']);
    for (const name of names) {
      const ofCommand = await twinstream(name, '--help');
      expect(ofCommand.stdout).toMatch(new RegExp(`^Usage: twinstream (?:ops )?${name} `));
      expect(ofCommand.stdout).toContain('Examples:\n  twinstream ');
      expect(ofCommand.code).toBe(0);
    }
    expect((await twinstream('help', 'adopt')).stdout).toBe((await twinstream('adopt', '--help')).stdout);
  }, 60_000);

  test('says its version', async () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
    expect(await twinstream('--version')).toMatchObject({ stdout: `${version}\n`, code: 0 });
  });

  test('names the command that a mistyped one is near to', async () => {
    const mistyped = { stdout: '', code: 2 };
    expect(await twinstream('strat')).toMatchObject({
      ...mistyped,
      stderr: "error: unknown command 'strat'\n(Did you mean start?)\n",
    });
    expect(await twinstream('ops', 'verfy')).toMatchObject({
      ...mistyped,
      stderr: "error: unknown command 'verfy'\n(Did you mean verify?)\n",
    });
  });

  test('completes commands, their subcommands, flags and the values of these', async () => {
    const completed = async (...words: string[]) => {
      const { stdout } = await twinstream('complete', '--', ...words);
      return [...stdout.matchAll(/^([\w-]+)\t/gm)].map(([, word]) => word);
    };
    expect(await completed('st')).toEqual(['start']);
    expect(await completed('ops', 'replay', 'pro')).toEqual(['promote']);
    expect(await completed('start', '--da')).toEqual(['--data-dir']);
    expect(await completed('load-test', '--scenario', 'so')).toEqual(['soak']);
    expect((await twinstream('completion', 'bash')).stdout).toContain('complete -F');
  }, 60_000);

  test('writes no colours where NO_COLOR is set', async () => {
    const { stdout } = await twinstream(
      'ops',
      'plan',
      '--devices',
      '10',
      '--period',
      '10s',
      '--bytes',
      '170',
    );
    expect(stdout).not.toContain('\u001b');
  });
});
