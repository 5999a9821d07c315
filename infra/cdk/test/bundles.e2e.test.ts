import { execFile, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kill, readyLine } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { bundle } from '../src/bundles.ts';
import { BUNDLE_FILE, BUNDLE_NAMES, type BundleName } from '../src/code-folders.ts';

const run = promisify(execFile);
const MIB = 2 ** 20;
const TASKS: readonly BundleName[] = ['operations', 'query-service'];
const FUNCTIONS: readonly BundleName[] = BUNDLE_NAMES.filter((name) => !TASKS.includes(name));
/** What the functions cannot start without. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  TWINSTREAM_ARCHIVE_BUCKET: 'bucket',
  TWINSTREAM_DELIVERY_STREAM: 'stream',
  TWINSTREAM_EVENT_BUS: 'bus',
  TWINSTREAM_CANARY_DEVICE: 'canary',
  TWINSTREAM_STREAM: 'stream',
  TWINSTREAM_EVENTS_TABLE: 'events',
  TWINSTREAM_DEVICE_STATE_TABLE: 'device-state',
  TWINSTREAM_OPERATIONS_TABLE: 'operations',
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

test('the task of the query service listens from its folder alone, and ends when it is asked to', async () => {
  const { folder } = await bundle('query-service');
  const env = { ...ENVIRONMENT, TWINSTREAM_API_PORT: '0', AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
  const child = spawn(process.execPath, [join(folder, BUNDLE_FILE)], {
    env,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const { url } = JSON.parse(await readyLine(child));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  } finally {
    await kill(child, 'SIGTERM');
  }
  expect(child.exitCode).toBe(0);
});
