import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const SCRIPT_BYTES_MAX = 150 * 1024;

describe('the built page', () => {
  let folder: string;
  const files = new Map<string, string>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twinstream-page-'));
    await build({
      root: fileURLToPath(new URL('..', import.meta.url)),
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true },
    });
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      files.set(entry.name, await readFile(join(entry.parentPath, entry.name), 'utf8'));
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const allOf = (extension: string) => [...files].filter(([name]) => extname(name) === extension);

  test('has at most 150 KB of JavaScript, compressed', () => {
    const scripts = allOf('.js');
    expect(scripts.length).toBeGreaterThanOrEqual(2);
    const bytes = scripts.reduce((sum, [, text]) => sum + gzipSync(text).length, 0);
    expect(bytes).toBeLessThanOrEqual(SCRIPT_BYTES_MAX);
  });

  test('takes types alone from the API contract: no schema is loaded with it', () => {
    for (const [name, text] of allOf('.js')) expect(text.match(/ZodError|_zod/), name).toBeNull();
  });

  test('holds no script and no style within its HTML, so that a strict policy can forbid them', () => {
    const html = files.get('index.html') ?? '';
    expect(html).toContain('<script');
    expect(html.match(/<script(?![^>]*\bsrc=)/g)).toBeNull();
    expect(html.match(/<style|\sstyle=|\son\w+=/g)).toBeNull();
  });

  test('names no other host', () => {
    const namespaces = /http:\/\/www\.w3\.org\/[\w/]+/g;
    for (const [name, text] of files) {
      expect(text.replace(namespaces, '').match(/https?:\/\/[^\s"'`)]+/g), name).toBeNull();
    }
  });

  test('reads the chosen theme before the first paint under the key under which it is kept', async () => {
    const early = await readFile(new URL('../public/theme.js', import.meta.url), 'utf8');
    const key = /getItem\('([^']+)'\)/.exec(early)?.[1] ?? 'none';
    expect(allOf('.js').some(([name, text]) => name !== 'theme.js' && text.includes(key))).toBe(true);
  });
});
