import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'tsdown';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lookedUpPackages, referencedFiles } from '../src/referenced-files.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'twinstream-'));
  await mkdir(join(root, 'app/src'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function bundle(code: string): Promise<Readonly<Record<string, unknown>>> {
  await writeFile(join(root, 'app/src/index.ts'), code);
  const outDir = join(root, 'out');
  await build({
    config: false,
    cwd: root,
    entry: { index: 'app/src/index.ts' },
    outDir,
    format: 'esm',
    fixedExtension: false,
    dts: false,
    plugins: [
      referencedFiles({
        root,
        folders: { 'app/data': 'data' },
        isInternal: (name) => name.startsWith('@own/'),
      }),
    ],
    logLevel: 'silent',
  });
  return import(pathToFileURL(join(outDir, 'index.js')).href);
}

test('a module that is started by its file is an entry, called after its workspace where its name says nothing', async () => {
  await writeFile(join(root, 'app/src/main.ts'), 'export const answer: number = 42;');
  await writeFile(join(root, 'app/src/thread.ts'), 'export const answer: number = 43;');
  const { main, thread } = await bundle(
    "export const main = new URL('./main.ts', import.meta.url).href; export const thread = new URL('./thread.ts', import.meta.url).href;",
  );
  expect(await import(String(main))).toMatchObject({ answer: 42 });
  expect(await import(String(thread))).toMatchObject({ answer: 43 });
  expect((await readdir(join(root, 'out'))).sort()).toEqual(['app-main.js', 'index.js', 'thread.js']);
});

test('a folder is that of the package, and package.json its manifest', async () => {
  const found = await bundle(
    "export const data = new URL('../data/', import.meta.url).href; export const manifest = new URL('../package.json', import.meta.url).href;",
  );
  const out = pathToFileURL(join(root, 'out/')).href;
  expect(found).toMatchObject({ data: `${out}data/`, manifest: `${out}package.json` });
});

test('a folder or a file that the package does not hold fails the build', async () => {
  await expect(bundle("export const data = new URL('../secrets/', import.meta.url);")).rejects.toThrow(
    'the package does not hold app/secrets',
  );
  await expect(bundle("export const data = new URL('./a.txt', import.meta.url);")).rejects.toThrow(
    'the package does not hold app/src/a.txt',
  );
});

test('packages that built code looks up are found', () => {
  expect(lookedUpPackages("a(import.meta.resolve('one')); new URL('./x.js', import.meta.url)")).toEqual([
    'one',
  ]);
});
