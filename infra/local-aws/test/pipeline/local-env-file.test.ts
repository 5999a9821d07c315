import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLocalEnvironment } from '@twinstream/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeLocalEnvFile } from '../../src/pipeline/local-env-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-local-env-'));
  path = join(folder, '.twinstream', 'local.env');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What `env` prints in a program that a shell starts after it has sourced the file. */
function seenAfterSource(environment: Record<string, string>): string {
  return execFileSync('sh', ['-c', `. "${path}"; env`], { env: { PATH: process.env.PATH, ...environment } })
    .toString()
    .split('\n')
    .filter((line) => /^AWS_/.test(line))
    .sort()
    .join('\n');
}

describe('the file of a pipeline', () => {
  test('gives its variables to every program that a shell starts after it has sourced it', () => {
    const file = takeLocalEnvFile(path);
    file.write({ AWS_ENDPOINT_URL_KINESIS: 'http://127.0.0.1:1', AWS_REGION: 'us-east-1' });
    expect(seenAfterSource({ AWS_REGION: 'eu-west-1' })).toBe(
      'AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:1\nAWS_REGION=us-east-1',
    );
    file.remove();
  });

  test('leaves no profile, token or switch in the shell that would lead an AWS tool elsewhere', () => {
    const file = takeLocalEnvFile(path);
    file.write({ AWS_REGION: 'us-east-1' });
    const shell = {
      AWS_PROFILE: 'production',
      AWS_DEFAULT_PROFILE: 'production',
      AWS_SESSION_TOKEN: 'x',
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
    };
    expect(seenAfterSource(shell)).toBe('AWS_REGION=us-east-1');
    file.remove();
  });

  test('is read by the commands', () => {
    const file = takeLocalEnvFile(path);
    file.write({ AWS_REGION: 'us-east-1', TWINSTREAM_STREAM: 'device-events' });
    expect(findLocalEnvironment(folder)?.variables).toEqual({
      AWS_REGION: 'us-east-1',
      TWINSTREAM_STREAM: 'device-events',
    });
    file.remove();
    expect(existsSync(path)).toBe(false);
  });

  test('is refused to a second pipeline, which is told process and address of the first, and left alone', () => {
    const first = takeLocalEnvFile(path);
    expect(() => takeLocalEnvFile(path)).toThrow(/still starting/);
    first.write({ TWINSTREAM_API_URL: 'http://127.0.0.1:8080' });
    const before = readFileSync(path, 'utf8');
    expect(() => takeLocalEnvFile(path)).toThrow(
      expect.objectContaining({
        code: 'PIPELINE_RUNNING',
        message: expect.stringMatching(
          new RegExp(`process ${process.pid}, its API is http://127.0.0.1:8080 .*\\n.*--local-env`),
        ),
      }),
    );
    expect(readFileSync(path, 'utf8')).toBe(before);
    first.remove();
    takeLocalEnvFile(path).remove();
  });

  test('is taken over from a process that is dead', async () => {
    takeLocalEnvFile(path).remove();
    const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(dead, 'exit');
    writeFileSync(`${path}.lock`, `${dead.pid}\n`);
    writeFileSync(path, 'export TWINSTREAM_API_URL=http://127.0.0.1:1\n');
    const file = takeLocalEnvFile(path);
    expect(existsSync(path)).toBe(false);
    file.remove();
  });
});
