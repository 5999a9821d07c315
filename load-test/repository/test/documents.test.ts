import { dirname, join, normalize } from 'node:path';
import { EXIT_CODES } from '@twinstream/command-line';
import { REJECTION_REASONS } from '@twinstream/device-model';
import { METRICS } from '@twinstream/state-projector';
import { describe, expect, test } from 'vitest';
import { documentedCommands, faultOf, pipedScripts } from './documents/commands.ts';
import { sourceCodes } from './documents/error-codes.ts';
import { anchors, codeSpans, linkTargets, parseMarkdown, tableRows } from './documents/markdown.ts';
import { documentPaths, exists, filesBelow, readText } from './documents/repository.ts';

const HELP_TIMEOUT_MS = 120_000;

const document = (path: string) => parseMarkdown(readText(path));
const documents = documentPaths().map((path) => [path, document(path)] as const);
const firstSpans = (rows: readonly (readonly string[])[]) => rows.flatMap(([cell = '']) => codeSpans(cell));
const unique = (texts: readonly string[]) => [...new Set(texts)].sort();

describe.each(documents)('%s', (path, markdown) => {
  test('links to what is there', () => {
    const broken = linkTargets(markdown).filter(({ text }) => {
      if (/^https?:\/\//.test(text)) return !URL.canParse(text);
      const [file = '', anchor] = text.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (!exists(target)) return true;
      return anchor !== undefined && !anchors(document(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('breaks no code span over two lines, where no check would see it', () => {
    const broken = markdown.prose.filter(({ text }) => text.split('`').length % 2 === 0);
    expect(broken).toEqual([]);
  });

  test('names files and folders that are there', () => {
    const missing = [...markdown.prose, ...markdown.shell].flatMap(({ number, text }) =>
      codeSpans(text)
        .filter((span) => /^(?:shared|producers|consumers|infra|load-test|docs)\/[\w./-]+$/.test(span))
        .filter((span) => !span.startsWith('load-test/benchmarks/results/') && !exists(span))
        .map((span) => `line ${number}: ${span}`),
    );
    expect(missing).toEqual([]);
  });

  test(
    'names commands that there are, with flags that they take',
    async () => {
      const faults: string[] = [];
      for (const command of documentedCommands(markdown)) {
        const fault = await faultOf(command);
        if (fault !== undefined) faults.push(`line ${command.line}: ${command.text}: ${fault}`);
      }
      expect(faults).toEqual([]);
    },
    HELP_TIMEOUT_MS,
  );

  test('pipes nothing that npm run writes, whose banner comes first', () => {
    expect(pipedScripts(markdown)).toEqual([]);
  });

  test('holds no code in a language that nothing checks', () => {
    // The examples of a public package are run by pack:check.
    const examples = path.startsWith('infra/packages/') ? ['ts', 'text'] : [];
    // Those of the tutorials are run by a test of the site.
    if (path.startsWith('docs/tutorials/')) examples.push('js');
    const checked = new Set(['', 'sh', 'json', ...examples]);
    expect(markdown.languages.filter((language) => !checked.has(language))).toEqual([]);
  });
});

describe('the checks of documents', () => {
  test(
    'tell commands, flags and subcommands that exist from others',
    async () => {
      const faultsOf = async (text: string) => {
        const [command] = documentedCommands(parseMarkdown(`\`${text}\``));
        return command === undefined ? 'no command' : await faultOf(command);
      };
      expect(await faultsOf('npm run simulate -- --devices 3')).toBeUndefined();
      expect(await faultsOf('npm run simulate -- --device 3')).toBe('simulate has no flag --device');
      expect(await faultsOf('npm run bench -- no-such-part')).toBe('bench has no no-such-part');
      expect(await faultsOf('bin/simulate --devices 3')).toBeUndefined();
      expect(await faultsOf('bin/ops … | jq .')).toBeUndefined();
      expect(await faultsOf('bin/ops replay start --source archive')).toBeUndefined();
      expect(await faultsOf('bin/ops replay start --sources archive')).toBe('ops has no flag --sources');
      expect(await faultsOf('bin/ops replay begin')).toBe('ops has no command begin');
      expect(await faultsOf('npx twinstream start --port 0')).toBeUndefined();
      expect(await faultsOf('npx twinstream start --ports 0')).toBe('twinstream has no flag --ports');
      expect(await faultsOf('npx twinstream ops replay begin')).toBe('twinstream has no command begin');
      expect(await faultsOf('npx twinstream begin')).toBe('twinstream has no command begin');
      expect(await faultsOf('npm start -- --port 0')).toBeUndefined();
      expect(await faultsOf('npm start -- --ports 0')).toBe('start has no flag --ports');
      expect(await faultsOf('bin/run')).toBe('no command');
      expect(await faultsOf('bin/no-such-command')).toBe('there is no script no-such-command');
      expect(await faultsOf('npm run no-such-script')).toBe('there is no script no-such-script');
    },
    HELP_TIMEOUT_MS,
  );

  test('find npm run before a pipe or a file, where its banner would be among the data', () => {
    const piped = (text: string) => pipedScripts(parseMarkdown(text)).length;
    expect(piped('`npm run ops -- state bus-1 --output json | jq .page`')).toBe(1);
    expect(piped('```sh\nnpm run ops -- quarantine list > bad.ndjson    # poison records\n```\n')).toBe(1);
    expect(
      piped('`bin/ops status | jq .`, `npm run ops -- status`, `npm run --silent ops -- status | jq .`'),
    ).toBe(0);
  });

  test('make anchors as GitHub does', () => {
    const markdown = parseMarkdown('# A `code`, and more\n## Twice\n## Twice\n');
    expect([...anchors(markdown)]).toEqual(['a-code-and-more', 'twice', 'twice-1']);
  });

  test('read tables below their heading alone', () => {
    const markdown = parseMarkdown('## A\n| x | y |\n|---|---|\n| `P` | 1 |\n## B\n| x |\n|---|\n| `Q` |\n');
    expect(firstSpans(tableRows(markdown, '## A'))).toEqual(['P']);
  });
});

describe('docs/delivery-semantics.md', () => {
  const markdown = document('docs/delivery-semantics.md');

  test('names for every guarantee a test that is there', () => {
    const rows = tableRows(markdown, '# Delivery semantics');
    expect(rows.length).toBeGreaterThan(25);
    for (const [guarantee = '', proof = ''] of rows) {
      const tests = codeSpans(proof);
      expect(tests, guarantee).not.toEqual([]);
      for (const path of tests) {
        expect(path, guarantee).toMatch(/\.test\.ts$/);
        expect(exists(path), path).toBe(true);
      }
    }
  });

  test('names each test of the projector, one for each guarantee', () => {
    const named = new Set(
      tableRows(markdown, '# Delivery semantics').flatMap(([, proof = '']) => codeSpans(proof)),
    );
    const tests = filesBelow('consumers/state-projector/test', (path) => path.endsWith('.test.ts'));
    const guarantees = tests.filter((path) => readText(path).includes('projector-fixture'));
    expect(guarantees.filter((path) => !named.has(path))).toEqual([]);
  });

  test('lists what the simulation checks by the names that a violation has', () => {
    const sources = filesBelow('load-test/simulation/src', (path) => path.endsWith('.ts'));
    const names = sources.flatMap((path) =>
      [...readText(path).matchAll(/new Violation\(\s*'([^']+)'/g)].map((match) => match[1] ?? ''),
    );
    const listed = markdown.prose.flatMap(({ text }) => /^- ([a-z][^*]*)$/.exec(text)?.[1] ?? []);
    expect(unique(names).length).toBeGreaterThan(10);
    expect(unique(listed)).toEqual(unique(names));
  });
});

describe('docs/runbook.md', () => {
  const markdown = document('docs/runbook.md');

  test('lists every error code of the source, once, and no other', () => {
    const listed = firstSpans(tableRows(markdown, '## Error codes'));
    const inSource = sourceCodes();
    expect(listed.filter((code, index) => listed.indexOf(code) !== index)).toEqual([]);
    expect(listed.filter((code) => !inSource.has(code))).toEqual([]);
    const missing = [...inSource].filter(([code]) => !listed.includes(code));
    expect(missing.map(([code, paths]) => `${code} of ${unique(paths).join(', ')}`)).toEqual([]);
    expect(listed.length).toBeGreaterThan(70);
  });

  test('says meaning, check and remedy for each code and each alarm', () => {
    const rows = [...tableRows(markdown, '## Error codes'), ...tableRows(markdown, '## Alarms')];
    const short = rows.filter((row) => row.length < 4 || row.some((cell) => cell === ''));
    expect(short).toEqual([]);
  });

  test('lists every exit code, and no other', () => {
    const listed = firstSpans(tableRows(markdown, '## Exit codes'));
    expect(listed).toEqual(Object.values(EXIT_CODES).map(String));
  });

  test('lists every reason of quarantine, and no other', () => {
    const listed = firstSpans(tableRows(markdown, '## Reasons of quarantine'));
    expect(unique(listed)).toEqual(unique(REJECTION_REASONS));
  });

  test('lists every metric of the projector with its unit, and no other', () => {
    const rows = tableRows(markdown, '## Metrics of the projector');
    const listed = rows.map(([name = '', unit = '']) => `${codeSpans(name).join()} ${unit}`);
    expect(unique(listed)).toEqual(
      unique(Object.entries(METRICS).map(([name, { unit }]) => `${name} ${unit}`)),
    );
  });

  test('lists every difference that verify can find, and no other', () => {
    const source = readText('shared/verification/src/difference.ts');
    const kinds = /readonly kind:((?:\s*\| '[\w-]+')+);/.exec(source)?.[1] ?? '';
    const names = [...kinds.matchAll(/'([\w-]+)'/g)].map((match) => match[1] ?? '');
    expect(names.length).toBeGreaterThan(5);
    expect(unique(firstSpans(tableRows(markdown, '## Differences that verify finds')))).toEqual(
      unique(names),
    );
  });
});

describe('docs/glossary.md', () => {
  const terms = tableRows(document('docs/glossary.md'), '# Glossary').map(([term = '']) => term);

  test('explains each term once, in alphabetical order', () => {
    expect(terms.length).toBeGreaterThan(50);
    expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([]);
    expect(terms).toEqual([...terms].sort((a, b) => a.localeCompare(b, 'en')));
  });
});

describe('docs/adr', () => {
  const paths = filesBelow('docs/adr', (path) => path.endsWith('.md'));

  test('is numbered from 1 without a gap, in file names and titles', () => {
    const numbers = paths.map((path) => Number(/\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]));
    expect(numbers).toEqual(paths.map((_, index) => index + 1));
    const titles = paths.map((path) => Number(/^# (\d+)\. \S/.exec(readText(path))?.[1]));
    expect(titles).toEqual(numbers);
  });

  test.each(paths)('%s is one page: status and date, context, decision, consequences', (path) => {
    const text = readText(path);
    expect(text.split('\n').length).toBeLessThanOrEqual(40);
    expect(text).toMatch(
      /^\*\*Status:\*\* (?:accepted|superseded by \[ADR \d+\]\(.+\)), \d{4}-\d{2}-\d{2}$/m,
    );
    const parts = [...text.matchAll(/^\*\*(Context|Decision|Consequences)\.\*\* \S/gm)].map(
      (match) => match[1],
    );
    expect(parts).toEqual(['Context', 'Decision', 'Consequences']);
  });
});
