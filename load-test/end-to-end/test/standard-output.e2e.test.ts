import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { finished } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PLAN = ['plan', '--devices', '100', '--period', '10s', '--bytes', '170'];
/** Nothing answers there: what a command does before it needs a pipeline is what is tested. */
const NOWHERE = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_REGION: 'us-east-1' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As a person's shell would: from another folder, with nothing of this process's npm. */
function start(command: string, args: readonly string[], options: { readonly cwd?: string } = {}) {
  const ours = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/.test(name));
  const env = { ...Object.fromEntries(ours), ...NOWHERE };
  return spawn(command, [...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

describe('standard output', () => {
  test('of bin/ops is JSON and nothing else', async () => {
    const { code, stdout, stderr } = await finished(
      start(join(ROOT, 'bin/ops'), [...PLAN, '--output', 'json']),
    );
    expect(JSON.parse(stdout)).toMatchObject({ workload: { deviceCount: 100 } });
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  test('of npm run ops begins with a banner, as standard error says', async () => {
    const args = ['--prefix', ROOT, 'run', 'ops', '--', ...PLAN, '--output', 'json'];
    const { code, stdout, stderr } = await finished(start('npm', args));
    expect(stdout).toMatch(/^\s*> twinstream/);
    expect(stderr).toContain('bin/ops');
    expect(code).toBe(0);
  });

  test('whose reader has gone ends the command quietly, with the code of a broken pipe', async () => {
    const child = start(join(ROOT, 'bin/ops'), PLAN);
    child.stdout?.destroy();
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    expect(stderr).toBe('');
    expect(code).toBe(141);
  });
});

test('a relative path begins where the person stands, under npm run, too', async () => {
  const path = 'no-device.txt';
  writeFileSync(join(folder, path), 'not a device id\n');
  const args = ['--prefix', ROOT, 'run', 'simulate', '--', '--input', path];
  const { stderr, code } = await finished(start('npm', args));
  expect(stderr).toContain('--id-column');
  expect(code).toBe(2);
});
