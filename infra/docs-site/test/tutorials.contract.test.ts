import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../src/site-folders.ts';
import { sourceText } from '../src/site-pages.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 240_000;

const scripts = (path: string): readonly string[] =>
  [...sourceText(path).matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code);

/** Below this workspace, where packages of the repository are found. */
let folder: string;
beforeAll(() => {
  const parent = fileURLToPath(new URL('../dist/', import.meta.url));
  mkdirSync(parent, { recursive: true });
  folder = mkdtempSync(join(parent, 'tutorials-'));
  write('package.json', '{ "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Runs the test of the tutorial. Returns its exit code and what it wrote. */
async function testTotal(environment: Readonly<Record<string, string>>) {
  const options = { cwd: folder, env: { ...process.env, ...environment } };
  try {
    const { stdout } = await run(process.execPath, ['--test', 'total.test.js'], options);
    return { code: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { readonly code: number; readonly stdout: string };
    return { code, stdout };
  }
}

describe('docs/tutorials/test-your-own-consumer.md', () => {
  const [naive = '', tests = '', idempotent = ''] = scripts('docs/tutorials/test-your-own-consumer.md');

  beforeAll(() => {
    // The package as it is in this repository; pack:check installs its tarball.
    const entry = pathToFileURL(join(ROOT, 'infra/packages/local-kinesis/index.ts')).href;
    const manifestFolder = 'node_modules/@twinstream/local-kinesis';
    write(`${manifestFolder}/package.json`, '{ "type": "module", "exports": "./index.js" }');
    write(`${manifestFolder}/index.js`, `export * from '${entry}';\n`);
    write('total.test.js', tests);
  });

  test(
    'the consumer passes without faults, and counts twice with them',
    async () => {
      write('total.js', naive);
      expect((await testTotal({})).code).toBe(0);
      const { code, stdout } = await testTotal({ FAULTS: 'on' });
      expect(code).toBe(1);
      expect(stdout).toContain('lost-answer: 4\nthrottle: 1\n');
      expect(stdout).toContain('108 !== 100');
    },
    TIMEOUT_MS,
  );

  test(
    'the idempotent consumer passes with faults',
    async () => {
      write('total.js', idempotent);
      const { code, stdout } = await testTotal({ FAULTS: 'on' });
      expect(stdout).toContain('lost-answer: 4\n');
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );
});

describe('docs/tutorials/follow-state-changes.md', () => {
  test('the detector is one script that Node can parse', async () => {
    const code = scripts('docs/tutorials/follow-state-changes.md');
    expect(code).toHaveLength(1);
    write('detector.mjs', code[0] ?? '');
    await run(process.execPath, ['--check', 'detector.mjs'], { cwd: folder });
  });
});
