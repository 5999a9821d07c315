import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES } from '@twinstream/command-line';
import { freePort } from '@twinstream/runtime/free-port';
import { runNode } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-simulate-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process as a user starts it. What it says and how it ends otherwise is tested without one, in simulate-command.test.ts. */
const simulate = (args: readonly string[], variables: Record<string, string> = {}) => {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return runNode([MAIN, ...args], {
    cwd: folder,
    env: { PATH, NODE_COMPILE_CACHE, HOME: folder, ...variables },
  });
};

describe('npm run simulate', () => {
  test('explains itself, its exit codes included, and exits 0', async () => {
    const { code, stdout, stderr } = await simulate(['--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const words of ['Exit codes:', '--devices', '--input', '--ledger', 'flaky-network']) {
      expect(stdout).toContain(words);
    }
  });

  test('finds the pipeline beside it by itself, whatever profile the shell has, and exits 4 when nothing answers', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    mkdirSync(join(folder, '.twinstream'));
    const pipeline = {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_KINESIS: url,
    };
    const lines = Object.entries(pipeline).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(folder, '.twinstream', 'local.env'), lines.join(''));
    const { code, stdout, stderr } = await simulate(['--count', '1'], {
      AWS_PROFILE: 'production',
      AWS_REGION: 'eu-west-1',
    });
    expect(stderr).toContain(`nothing answers at ${url} (ECONNREFUSED)`);
    expect(code).toBe(EXIT_CODES.unavailable);
    expect(stdout).toBe('');
  });
});
