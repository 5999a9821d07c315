import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { filesBelow, ROOT, readText } from './documents/repository.ts';

const SCOPE = '@twinstream/';
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;
const TYPE_IMPORT = /^(?:import|export) type .*?;$/gms;

const packageSchema = z.object({
  name: z.string(),
  exports: z.record(z.string(), z.string()).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional(),
});
const boundariesSchema = z.object({
  boundaries: z.object({
    tags: z.record(z.string(), z.object({ dependencies: z.object({ allow: z.array(z.string()) }) })),
  }),
});

const workspaces = new Map(
  ['shared', 'producers', 'consumers', 'infra', 'load-test']
    .flatMap((folder) => filesBelow(folder, (path) => path.endsWith('/package.json')))
    .map((path) => {
      const document = packageSchema.parse(JSON.parse(readText(path)));
      return [document.name, { folder: path.slice(0, -'/package.json'.length), ...document }] as const;
    }),
);
const allowed = new Map(
  Object.entries(boundariesSchema.parse(JSON.parse(readText('turbo.json'))).boundaries.tags).map(
    ([name, { dependencies }]) => [name, dependencies.allow] as const,
  ),
);
const isInternal = (name: string) => name.startsWith(SCOPE);
const shortName = (name: string) => name.slice(SCOPE.length);

/** Packages that are loaded with a module, workspaces included: its own and what it imports at run time. Types load nothing. */
function loadedPackages(file: string, read = readText): ReadonlySet<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, specifier = ''] of read(path).replace(TYPE_IMPORT, '').matchAll(IMPORT)) {
      if (specifier.startsWith('.')) visit(join(path, '..', specifier));
      else if (isInternal(specifier)) {
        packages.add(packageOf(specifier));
        visit(entryOf(specifier));
      } else if (!specifier.startsWith('node:')) packages.add(packageOf(specifier));
    }
  };
  visit(file);
  return packages;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function entryOf(specifier: string): string {
  const name = packageOf(specifier);
  const { folder, exports = {} } = workspaces.get(name) ?? { folder: '', exports: {} };
  const target = exports[`.${specifier.slice(name.length)}`];
  if (target === undefined) throw new Error(`${specifier} is no entry of a workspace`);
  return join(folder, target);
}

describe('directions between workspaces', () => {
  test('are stated for each workspace, under its own name', () => {
    const names = [...workspaces.keys()].map(shortName).sort();
    expect([...allowed.keys()].sort()).toEqual(names);
    for (const { folder, name } of workspaces.values()) {
      expect(JSON.parse(readText(`${folder}/turbo.json`)).tags).toEqual([shortName(name)]);
      expect(existsSync(join(ROOT, folder, 'tsconfig.json'))).toBe(true);
    }
  });

  test('hold for what each declares', () => {
    for (const { name, dependencies = {}, devDependencies = {} } of workspaces.values()) {
      const declared = Object.keys({ ...dependencies, ...devDependencies }).filter(isInternal);
      expect(allowed.get(shortName(name)), name).toEqual(expect.arrayContaining(declared.map(shortName)));
    }
  });

  test('make no circle', () => {
    for (const [name, targets] of allowed) {
      for (const target of targets) expect(allowed.get(target), `${name} and ${target}`).not.toContain(name);
    }
  });

  test('keep stacks off the emulators, and apps off each other', () => {
    expect(allowed.get('cdk')).not.toContain('local-aws');
    const apps = [...workspaces.values()].filter(({ folder }) => folder.startsWith('consumers/'));
    for (const app of apps) {
      const others = apps.filter(({ name }) => name !== app.name).map(({ name }) => shortName(name));
      expect(allowed.get(shortName(app.name))?.filter((name) => others.includes(name))).toEqual([]);
    }
  });
});

describe('the test kit', () => {
  const KIT = '@twinstream/test-kit';
  // The public packages hold the command, which runs the load test as well, and the site documents it. Nothing else depends on them.
  const isProduction = ({ folder }: { readonly folder: string }) =>
    !folder.startsWith('load-test/') && !['infra/packages', 'infra/docs-site'].includes(folder);
  const production = [...workspaces.values()].filter((workspace) => isProduction(workspace));
  const importers = (read = readText) =>
    production
      .filter(({ name }) => name !== KIT)
      .map(({ folder }) => join(folder, 'src'))
      .filter((folder) => existsSync(join(ROOT, folder)))
      .flatMap((folder) => filesBelow(folder, (path) => /\.tsx?$/.test(path)))
      .filter((path) => [...read(path).matchAll(IMPORT)].some(([, name = '']) => packageOf(name) === KIT));

  test('is no dependency of production code, nor is anything of load-test', () => {
    const instruments = [...workspaces.values()].filter((workspace) => !isProduction(workspace));
    for (const { name, dependencies = {}, devDependencies = {} } of production) {
      expect(Object.keys(dependencies), name).not.toContain(KIT);
      const declared = Object.keys({ ...dependencies, ...devDependencies });
      for (const instrument of instruments) expect(declared, name).not.toContain(instrument.name);
    }
    expect(importers()).toEqual([]);
  });

  test('would be seen in production code', () => {
    const file = 'consumers/query-api/src/local.ts';
    const planted = (path: string) =>
      path === file ? `import { virtualClock } from '${KIT}';\n` : readText(path);
    expect(importers(planted)).toEqual([file]);
  });
});

describe('the producer library', () => {
  const entry = 'producers/stream-producer/src/index.ts';
  const awsClients = (packages: ReadonlySet<string>) =>
    [...packages].filter((name) => name.startsWith('@aws-sdk/')).sort();

  test('loads no AWS client but that of Kinesis', () => {
    expect(awsClients(loadedPackages(entry))).toEqual(['@aws-sdk/client-kinesis']);
  });

  // Its tests use the test kit, which knows device events: the directions of turbo.json cannot tell tests from sources.
  test('loads no workspace but those below it', () => {
    const loaded = [...loadedPackages(entry)].filter(isInternal).map(shortName).sort();
    expect(loaded).toEqual(['aws', 'runtime', 'stream-model']);
  });

  test('would be seen to load another one', () => {
    const planted = (path: string) =>
      path === entry ? `import { dynamoDbClient } from '@twinstream/aws/dynamodb';\n` : readText(path);
    expect(awsClients(loadedPackages(entry, planted))).toContain('@aws-sdk/client-dynamodb');
  });
});
