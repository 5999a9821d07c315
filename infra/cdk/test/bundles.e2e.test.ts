import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { BUNDLE_FILE, BUNDLE_NAMES, type BundleName, bundle } from '../src/bundles.ts';

const run = promisify(execFile);
const MIB = 2 ** 20;
const FUNCTIONS: readonly BundleName[] = BUNDLE_NAMES.filter((name) => name !== 'operations');
/** What the functions cannot start without. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  TWINSTREAM_ARCHIVE_BUCKET: 'bucket',
  TWINSTREAM_DELIVERY_STREAM: 'stream',
  TWINSTREAM_EVENT_BUS: 'bus',
};

test.each(BUNDLE_NAMES)('%s is at most 1 MiB compressed, source map and all', async (name) => {
  expect((await bundle(name)).compressedBytes).toBeLessThanOrEqual(MIB);
});

test.each(FUNCTIONS)('%s starts from its folder alone', async (name) => {
  const { folder } = await bundle(name);
  expect(readdirSync(folder).sort()).toEqual([BUNDLE_FILE, `${BUNDLE_FILE}.map`]);
  const script = `import(${JSON.stringify(join(folder, BUNDLE_FILE))}).then((m) => console.log(typeof m.handler))`;
  const { stdout } = await run(process.execPath, ['-e', script], { env: ENVIRONMENT, cwd: '/' });
  expect(stdout.trim()).toBe('function');
});

test('the operators’ task answers from its folder alone', async () => {
  const { folder } = await bundle('operations');
  const { stdout } = await run(process.execPath, [join(folder, BUNDLE_FILE), '--help'], {
    env: ENVIRONMENT,
    cwd: '/',
  });
  expect(stdout).toContain('replay');
});
