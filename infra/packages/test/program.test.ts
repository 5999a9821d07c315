import { collectedOutput, parseCommandLine } from '@twinstream/command-line';
import type { Command } from 'commander';
import { describe, expect, test, vi } from 'vitest';
import { PARTS, profileAfterCommand, wholeProgram } from '../twinstream/program.ts';

/** The code of all commands is loaded: 3 s of processor time where no other test has loaded it. */
const LOADED_WITHIN_MS = 60_000;

/** What a program prints for these arguments, and its exit code. */
function run(program: Command, ...argv: string[]) {
  const [stdout, stderr] = [collectedOutput(), collectedOutput()];
  const code = parseCommandLine(program, { argv, stdout, stderr });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

describe('the commands of twinstream', { timeout: LOADED_WITHIN_MS }, () => {
  test('are those that its help lists, each with its own help', async () => {
    const { stdout, code } = run(await wholeProgram('1.2.3', ['--help']), '--help');
    expect(code).toBe(0);
    const names = [...stdout.matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(([, name = '']) => name);
    expect(names).toEqual(['start', 'simulate', 'adopt', 'ops', 'doctor', 'load-test', 'lab']);
    for (const name of names) {
      const program = await PARTS.get(name)?.program();
      if (program === undefined) throw new TypeError(`no program of ${name}`);
      const ofCommand = run(program, '--help');
      expect(ofCommand.stdout).toMatch(new RegExp(`^Usage: twinstream (?:ops )?${name} `));
      expect(ofCommand.stdout).toContain('Examples:\n  twinstream ');
      expect(ofCommand.code).toBe(0);
    }
  });

  test('a mistyped one is answered with the one that it is near to', async () => {
    const mistyped = { stdout: '', code: 2 };
    expect(run(await wholeProgram('1.2.3', ['strat']), 'strat')).toEqual({
      ...mistyped,
      stderr: "error: unknown command 'strat'\n(Did you mean start?)\n",
    });
    const operations = await PARTS.get('ops')?.program();
    if (operations === undefined) throw new TypeError('no program of ops');
    expect(run(operations, 'verfy')).toEqual({
      ...mistyped,
      stderr: "error: unknown command 'verfy'\n(Did you mean verify?)\n",
    });
  });

  test('take a profile that stands before their name', async () => {
    expect(profileAfterCommand(['--profile', 'lab', 'ops', 'status'])).toEqual([
      'ops',
      '--profile',
      'lab',
      'status',
    ]);
    expect(profileAfterCommand(['--profile=lab', 'simulate'])).toEqual(['simulate', '--profile=lab']);
    for (const argv of [['--profile'], ['--profile', 'lab'], ['--profile', 'lab', 'strat'], ['ops']]) {
      expect(profileAfterCommand(argv)).toEqual(argv);
    }
    const operations = await PARTS.get('ops')?.program();
    const simulate = await PARTS.get('simulate')?.program();
    for (const program of [operations, simulate, await wholeProgram('1.2.3', ['--help'])]) {
      expect(program?.options.map(({ long }) => long)).toContain('--profile');
    }
  });

  test('are completed with their subcommands, flags and the values of these', async () => {
    const completed = async (...words: string[]) => {
      const argv = ['complete', '--', ...words];
      const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
      try {
        run(await wholeProgram('1.2.3', argv), ...argv);
        const lines = log.mock.calls.join('\n');
        return [...lines.matchAll(/^([\w-]+)\t/gm)].map(([, word]) => word);
      } finally {
        log.mockRestore();
      }
    };
    expect(await completed('st')).toEqual(['start']);
    expect(await completed('ops', 'replay', 'pro')).toEqual(['promote']);
    expect(await completed('start', '--da')).toEqual(['--data-dir']);
    expect(await completed('load-test', '--scenario', 'so')).toEqual(['soak']);
  });
});
