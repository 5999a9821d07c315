import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { reproduceCommand } from '../src/reproduce-command.ts';
import { SEEDED_FAULTS } from '../src/seeded-faults.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const simulation = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

describe('the command that a violation prints', () => {
  test('reproduces the violation, with the fault that was seeded', () => {
    const found = simulation('--seeded-fault', "the batch's own arrival in the page key", '--seeds', '200');
    const again = /^again: npm run simulation -- (.*)$/m.exec(found.stderr)?.[1] ?? '';
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${again}`], { encoding: 'utf8' }).trimEnd();
    const once = simulation(...words.split('\n'));
    const violation = (text: string) => /^violated at seed (\d+) \(number \d+\): (.*)$/m.exec(text)?.slice(1);
    expect(violation(found.stdout)).toBeDefined();
    expect(violation(once.stdout)).toEqual(violation(found.stdout));
    expect(once.status).toBe(1);
  });

  test('names every seeded fault by a name that a shell reads back', () => {
    for (const { name } of SEEDED_FAULTS) {
      const command = reproduceCommand({ seededFault: name, rest: ['--seed', '1'] });
      const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
      expect(words.split('\n').slice(3, 7)).toEqual(['--', '--seeded-fault', name, '--seed'].slice(0, 4));
    }
  });
});

test('no seeds are wrong usage, not 0 violations', () => {
  const { status, stdout, stderr } = simulation('--seeds', '0');
  expect(stdout).toBe('');
  expect(stderr).toContain('from 1 to');
  expect(status).toBe(2);
});
