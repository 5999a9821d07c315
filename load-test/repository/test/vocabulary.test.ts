import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseMarkdown, tableRows } from './documents/markdown.ts';
import {
  documentPaths,
  exists,
  filesBelow,
  readText,
  sourcePaths,
  testPaths,
} from './documents/repository.ts';
import { discouragedInDocument, discouragedInSource, termFinder } from './documents/vocabulary.ts';

/** Folders whose string literals use the preferred terms. */
const CHECKED_FOLDERS: readonly string[] = ['consumers/', 'infra/', 'load-test/', 'producers/', 'shared/'];

/** This file quotes the discouraged terms. */
const OWN_PATH = 'load-test/repository/test/vocabulary.test.ts';

const contributing = parseMarkdown(readText('CONTRIBUTING.md'));
const find = termFinder(contributing);

const inDocument = (text: string) => discouragedInDocument(parseMarkdown(text), find).map(({ term }) => term);
const inSource = (text: string) => discouragedInSource(text, find).map(({ term }) => term);

describe('preferred terms', () => {
  test('name for each discouraged term what to say instead, once', () => {
    const rows = tableRows(contributing, '## Preferred terms');
    expect(rows.length).toBeGreaterThanOrEqual(40);
    expect(rows.filter((row) => row.length !== 2 || row.includes(''))).toEqual([]);
    expect(new Set(rows.map(([discouraged]) => discouraged)).size).toBe(rows.length);
  });

  // The table itself names the discouraged terms, between backticks.
  test.each(documentPaths())('stand in the prose of %s', (path) => {
    const document = path === 'CONTRIBUTING.md' ? withoutTable(readText(path)) : readText(path);
    const found = discouragedInDocument(parseMarkdown(document), find);
    expect(found.map(({ line, term }) => `${path}:${line}: ${term}`)).toEqual([]);
  });

  test.each(CHECKED_FOLDERS)(
    'stand in the help texts, errors, log messages, titles of tests and comments of %s',
    (folder) => {
      const paths = (files: readonly string[]) => files.filter((path) => path.startsWith(folder));
      const [sources, tests] = [paths(sourcePaths()), paths(testPaths())];
      expect(Math.min(sources.length, tests.length)).toBeGreaterThan(0);
      const found = [...sources, ...tests.filter((path) => path !== OWN_PATH)].flatMap((path) =>
        discouragedInSource(readText(path), find).map(({ line, term }) => `${path}:${line}: ${term}`),
      );
      expect(found).toEqual([]);
    },
  );
});

describe('the check of terms', () => {
  test('reads the sources of every workspace, those of the API and the page included', () => {
    const read = new Set(sourcePaths().map((path) => path.split('/').slice(0, 2).join('/')));
    const workspaces = CHECKED_FOLDERS.flatMap((folder) =>
      filesBelow(folder, (path) => /^[^/]+\/[^/]+\/package\.json$/.test(path)).map((path) => dirname(path)),
    );
    expect(workspaces).toEqual(expect.arrayContaining(['consumers/query-api', 'consumers/dashboard']));
    expect(workspaces.filter((workspace) => !read.has(workspace) && exists(`${workspace}/src`))).toEqual([]);
    expect(
      sourcePaths()
        .filter((path) => path.startsWith('consumers/dashboard/src/'))
        .some((path) => path.endsWith('.tsx')),
    ).toBe(true);
  });

  test('finds a discouraged term in README, also across a line break, in a heading and in a table', () => {
    expect(inDocument('The code runs on embedded stand-ins\nfor Kinesis.')).toEqual(['stand-ins']);
    expect(inDocument('A record that is no\nevent goes to quarantine.')).toEqual(['is no event']);
    expect(inDocument('## Fair words\n')).toEqual(['fair words']);
    expect(inDocument('| a | b |\n|---|---|\n| x | starts Anew |\n')).toEqual(['anew']);
  });

  test('finds a discouraged term in a help text', () => {
    expect(inSource(".option('--report <file>', 'write a page, whole in itself')")).toEqual([
      'whole in itself',
    ]);
    expect(inSource('const help = `Exit codes: 2 where $' + '{kind(`a ghost`)} stands still`;')).toEqual([
      'ghost',
      'stands still',
    ]);
  });

  test('finds a discouraged term in an error title and in an error message', () => {
    expect(inSource("{ status: 400, title: 'The body is not as it should be' }")).toEqual([
      'as it should be',
    ]);
    expect(inSource('throw new RangeError(`"$' + '{text}" is no device id`);')).toEqual(['is no device id']);
  });

  test('finds a discouraged term in a docstring, also across its lines, and in a comment', () => {
    expect(inSource('/** Reads a shard again\n * and again. */\nconst a = 1;')).toEqual(['again and again']);
    expect(inSource('const a = 1; // An event waits\n// for room.')).toEqual(['waits for room']);
  });

  test('leaves names, data, code spans, patterns and longer words alone', () => {
    expect(inDocument('The flag `--anew` and the class `Ghost`.\n\n```sh\nghost anew\n```\n')).toEqual([]);
    expect(inDocument('A blood-heirloom, a ghostwriter, an [oracle](docs/ghost.md).')).toEqual([]);
    expect(
      inSource("// `is no event`: don't\nconst a = /['`]/; /* `ghost` */ const ghost = 'oracle';"),
    ).toEqual([]);
    expect(inSource('const a = { b: `$' + '{{ c: "d" }.c}` }; // `anew`')).toEqual([]);
  });
});

function withoutTable(text: string): string {
  return text.replace(/^## Preferred terms$[\s\S]*?(?=^## |(?![\s\S]))/m, '');
}
