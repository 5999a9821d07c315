import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', '.turbo']);
const WORKSPACE_FOLDERS = ['shared', 'producers', 'consumers', 'infra', 'load-test'];

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

/** Files below a folder, from the root, in the order of their names. */
export function filesBelow(folder: string, isWanted: (path: string) => boolean): readonly string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) found.push(...filesBelow(path, isWanted));
    else if (entry.isFile() && isWanted(path)) found.push(path);
  }
  return found.sort();
}

/** All documents: those at the root, everything below docs/, and the READMEs of public packages. */
export function documentPaths(): readonly string[] {
  return [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...filesBelow('docs', (path) => path.endsWith('.md')),
    ...filesBelow('infra/packages', (path) => path.endsWith('.md')),
  ];
}

/** Source that runs in production or on one machine: `src` of every workspace, and no tests. */
export function sourcePaths(): readonly string[] {
  const isSource = (path: string) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts');
  const workspaces = WORKSPACE_FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name)),
  );
  return workspaces
    .map((workspace) => join(workspace, 'src'))
    .filter(exists)
    .flatMap((folder) => filesBelow(folder, isSource))
    .map((path) => relative('.', path));
}

/** Tests of every workspace with their helpers, and the contracts that several implementations share. */
export function testPaths(): readonly string[] {
  return WORKSPACE_FOLDERS.flatMap((folder) =>
    filesBelow(folder, (path) => /\/(?:test|contract)\/.*\.tsx?$/.test(path)),
  );
}

const SCRIPTS = z.object({ scripts: z.record(z.string(), z.string()) });

/** The scripts of the root, by name. */
export function rootScripts(): ReadonlyMap<string, string> {
  return new Map(Object.entries(SCRIPTS.parse(JSON.parse(readText('package.json'))).scripts));
}
