import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeDataDir } from '../../src/pipeline/data-dir.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-data-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a data folder', () => {
  test('is one pipeline’s at a time', async () => {
    const first = await takeDataDir(folder, () => {});
    await expect(takeDataDir(folder, () => {})).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    first.lock.release();
    (await takeDataDir(folder, () => {})).lock.release();
  });

  test.each(['kinesis/lock', 'dynamodb.lock', 's3.lock'])(
    'whose %s is held by what is left of a killed pipeline is waited for, with words',
    async (lock) => {
      const left = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
      mkdirSync(join(folder, 'kinesis'));
      writeFileSync(join(folder, lock), `${left.pid}\n`);
      const said: string[] = [];
      const taken = takeDataDir(folder, (line) => {
        said.push(line);
        left.kill('SIGKILL');
      });
      (await taken).lock.release();
      expect(said).toEqual([expect.stringMatching(`waiting for .* process ${left.pid} …`)]);
    },
  );
});
