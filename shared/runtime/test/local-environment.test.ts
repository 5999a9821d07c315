import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findLocalEnvironment, readLocalEnvironment } from '../src/local-environment.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twinstream-env-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function folder(...names: string[]): string {
  const path = join(root, ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

function writeFile(where: string, text: string): string {
  const path = join(folder(where, '.twinstream'), 'local.env');
  writeFileSync(path, text);
  return path;
}

describe('readLocalEnvironment', () => {
  test('gives the environment back where no file is found', () => {
    expect(readLocalEnvironment(folder('a', 'b'), { PATH: '/bin' })).toEqual({ PATH: '/bin' });
  });

  test('adds what the file of the working directory says', () => {
    writeFile('.', 'TWINSTREAM_STREAM=device-events\nAWS_REGION=us-east-1\n');
    expect(readLocalEnvironment(root, { PATH: '/bin' })).toEqual({
      PATH: '/bin',
      TWINSTREAM_STREAM: 'device-events',
      AWS_REGION: 'us-east-1',
    });
  });

  test('finds the file of a folder above, the nearest first', () => {
    writeFile('.', 'TWINSTREAM_STREAM=far\n');
    const nearest = writeFile('a', 'TWINSTREAM_STREAM=near\n');
    const cwd = folder('a', 'b', 'c');
    expect(readLocalEnvironment(cwd, {}).TWINSTREAM_STREAM).toBe('near');
    expect(findLocalEnvironment(cwd)?.path).toBe(nearest);
  });

  test('lets the real environment win, unless its value is empty', () => {
    writeFile('.', 'A=file\nB=file\n');
    expect(readLocalEnvironment(root, { A: 'real', B: '' })).toEqual({ A: 'real', B: 'file' });
  });

  test('takes no credential from the file when the environment has one', () => {
    writeFile('.', 'AWS_ACCESS_KEY_ID=local\nAWS_SECRET_ACCESS_KEY=local\nAWS_SESSION_TOKEN=local\n');
    const real = { AWS_ACCESS_KEY_ID: 'real', AWS_SECRET_ACCESS_KEY: 'real' };
    expect(readLocalEnvironment(root, real)).toEqual(real);
  });

  test('takes no endpoint of a service from the file when the environment names one for all', () => {
    writeFile('.', 'AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:1\nAWS_REGION=us-east-1\n');
    expect(readLocalEnvironment(root, { AWS_ENDPOINT_URL: 'http://127.0.0.1:2' })).toEqual({
      AWS_ENDPOINT_URL: 'http://127.0.0.1:2',
      AWS_REGION: 'us-east-1',
    });
  });

  test('reads what a shell could source: exports, quotes, comments, blank lines, CRLF', () => {
    writeFile(
      '.',
      '# pipeline\r\n\r\nexport A=1\r\nB=\'two words\'\r\nC="three"\r\nD=a=b\r\nE=\r\nnonsense\r\n',
    );
    expect(readLocalEnvironment(root, {})).toEqual({ A: '1', B: 'two words', C: 'three', D: 'a=b', E: '' });
  });

  test('does not hide a file that cannot be read', () => {
    mkdirSync(join(root, '.twinstream', 'local.env'), { recursive: true });
    expect(() => readLocalEnvironment(root, {})).toThrow(/EISDIR/);
  });
});
