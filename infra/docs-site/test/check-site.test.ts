import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkSite } from '../src/check-site.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-site-'));
  write('index.html', '<a href="/a.html#x">');
  write('a.html', '<h2 id="x"></h2><a href="/sub/b.html">');
  write('sub/b.html', '<a href="../c.html">');
  write('c.html', '');
  write('assets/chunks/@localSearchIndexroot.1.js', '"quarantine"');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

test('a site whose pages are all reached within three clicks is walked', () => {
  write('sub/b.html', '<a href="/c.html">');
  const { pages, clicks } = checkSite(folder);
  expect(pages).toBe(4);
  expect(clicks.get('/c.html')).toBe(3);
});

test.each([
  ['a link that leads nowhere', 'c.html', '<a href="/gone.html">', '/gone.html: is not there'],
  ['a picture that is not there', 'c.html', '<img src="/gone.png">', '/gone.png: is not there'],
  ['an anchor that is not there', 'index.html', '<a href="/a.html#y">', '/a.html#y: has no such anchor'],
  ['a page that no link leads to', 'd.html', '', '/d.html: no link leads to it'],
  [
    'a page further than three clicks',
    'c.html',
    '<a href="/d.html">',
    '/d.html: 4 clicks from the home page',
  ],
  ['a script of another host', 'c.html', '<script src="https://x.test/a.js"></script>', '/c.html: loads'],
  ['a search without its words', 'assets/chunks/@localSearchIndexroot.1.js', '', 'no search index'],
])('%s is a fault', (_, path, text, fault) => {
  write('sub/b.html', '<a href="/c.html">');
  write(path, text);
  if (fault.includes('4 clicks')) write('d.html', '');
  expect(() => checkSite(folder)).toThrow(fault);
});
