import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findLocalEnvironment } from '../src/local-environment.ts';

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

describe('the local environment file', () => {
  test('is not found where there is none', () => {
    expect(findLocalEnvironment(folder('a', 'b'))).toBeUndefined();
  });

  test('is that of a folder above, the nearest first', () => {
    writeFile('.', 'TWINSTREAM_STREAM=far\n');
    const nearest = writeFile('a', 'TWINSTREAM_STREAM=near\n');
    const found = findLocalEnvironment(folder('a', 'b', 'c'));
    expect(found).toEqual({ path: nearest, variables: { TWINSTREAM_STREAM: 'near' } });
  });

  test('is read as a shell would source it: with and without export, quotes, comments, blank lines, CRLF', () => {
    writeFile(
      '.',
      '# pipeline\r\nunset AWS_PROFILE\r\n\r\nexport A=1\r\nB=\'two words\'\r\nexport C="three"\r\nD=a=b\r\nE=\r\nnonsense\r\n' +
        "  export F=6 \nG=''\nH='\nI='open\nJ=open'\nK=aba\nL=\"mixed'\n",
    );
    expect(findLocalEnvironment(root)?.variables).toEqual({
      A: '1',
      B: 'two words',
      C: 'three',
      D: 'a=b',
      E: '',
      F: '6',
      G: '',
      H: "'",
      I: "'open",
      J: "open'",
      K: 'aba',
      L: '"mixed\'',
    });
  });

  test('is not found below a file that has the name of its folder', () => {
    const nearest = writeFile('.', 'A=1\n');
    writeFileSync(join(folder('a'), '.twinstream'), '');
    expect(findLocalEnvironment(folder('a'))?.path).toBe(nearest);
  });

  test('is not passed over when it cannot be read', () => {
    mkdirSync(join(root, '.twinstream', 'local.env'), { recursive: true });
    expect(() => findLocalEnvironment(root)).toThrow(/EISDIR/);
  });
});
