import { describe, expect, test } from 'vitest';
import { parseMarkdown, tableRows } from './documents/markdown.ts';
import { documentPaths, readText, sourcePaths } from './documents/repository.ts';
import { discouragedInDocument, discouragedInSource, termFinder } from './documents/vocabulary.ts';

/** Folders whose string literals use the preferred terms. */
const CHECKED_FOLDERS: readonly string[] = ['consumers/', 'infra/', 'load-test/', 'producers/', 'shared/'];

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

  test.each(CHECKED_FOLDERS)('stand in the help texts, errors and log messages of %s', (folder) => {
    const paths = sourcePaths().filter((path) => path.startsWith(folder));
    expect(paths.length).toBeGreaterThan(0);
    const found = paths.flatMap((path) =>
      discouragedInSource(readText(path), find).map(({ line, term }) => `${path}:${line}: ${term}`),
    );
    expect(found).toEqual([]);
  });
});

describe('the check of terms', () => {
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

  test('leaves names, data, comments, patterns and longer words alone', () => {
    expect(inDocument('The flag `--anew` and the class `Ghost`.\n\n```sh\nghost anew\n```\n')).toEqual([]);
    expect(inDocument('A blood-heirloom, a ghostwriter, an [oracle](docs/ghost.md).')).toEqual([]);
    expect(inSource("// is no event: don't\nconst a = /['`]/; /* ghost */ const ghost = 'oracle';")).toEqual(
      [],
    );
    expect(inSource('const a = { b: `$' + '{{ c: "d" }.c}` }; // anew')).toEqual([]);
  });
});

function withoutTable(text: string): string {
  return text.replace(/^## Preferred terms$[\s\S]*?(?=^## |(?![\s\S]))/m, '');
}
