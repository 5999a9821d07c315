import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsdown';
import { z } from 'zod';
import type { PublicPackage } from './public-packages.ts';

export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));
const WORKSPACE = join(ROOT, 'infra/packages');
const INTERNAL = /^@twinstream\//;
/** Names of packages, as opposed to paths, that are not of this repository. */
const EXTERNAL = /^(?!@twinstream\/)[^./]/;

const rootManifest = z.object({ version: z.string(), license: z.string() });
const installedManifest = z.object({ version: z.string() });

export function packageFolder({ folder }: Pick<PublicPackage, 'folder'>): string {
  return join(WORKSPACE, 'dist', folder);
}

export function readmePath({ folder }: Pick<PublicPackage, 'folder'>): string {
  return join(WORKSPACE, folder, 'README.md');
}

/**
 * Builds one package into `dist/`: a bundle of JavaScript and of types that holds the code of all workspaces it needs, README,
 * license, and a manifest whose dependencies are what the bundle imports, at the versions that are installed here.
 */
export async function buildPackage(target: PublicPackage): Promise<void> {
  const outDir = packageFolder(target);
  await mkdir(outDir, { recursive: true });
  const {
    bundles: [bundle],
  } = await build({
    config: false,
    cwd: WORKSPACE,
    entry: Object.fromEntries(
      entriesOf(target).map((entry) => [entry, join(target.folder, `${entry}.ts`)] as const),
    ),
    outDir,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    fixedExtension: false,
    tsconfig: join(ROOT, 'tsconfig.packages.json'),
    dts: { generator: 'tsgo' },
    deps: { alwaysBundle: [INTERNAL], neverBundle: [EXTERNAL] },
    treeshake: { moduleSideEffects: false },
    logLevel: 'error',
  });
  if (bundle === undefined) throw new Error(`${target.name} was not built`);
  const ownFiles = new Set(bundle.chunks.map(({ fileName }) => fileName));
  const imported = bundle.chunks
    .flatMap((chunk) => (chunk.type === 'chunk' ? [...chunk.imports, ...chunk.dynamicImports] : []))
    .filter((name) => !ownFiles.has(name));
  await copyFile(readmePath(target), join(outDir, 'README.md'));
  await copyFile(join(ROOT, 'LICENSE'), join(outDir, 'LICENSE'));
  const manifest = JSON.stringify(await manifestOf(target, imported), null, 2);
  await writeFile(join(outDir, 'package.json'), `${manifest}\n`);
}

function entriesOf({ command }: PublicPackage): readonly string[] {
  return command === undefined ? ['index'] : ['index', 'command'];
}

async function manifestOf(target: PublicPackage, imported: readonly string[]): Promise<object> {
  const { version, license } = rootManifest.parse(await readJson(join(ROOT, 'package.json')));
  const dependencies = await Promise.all(
    [...new Set(imported.filter((name) => EXTERNAL.test(name) && !isBuiltin(name)).map(packageOf))]
      .sort()
      .map(async (name) => [name, await installedVersion(name)] as const),
  );
  return {
    name: target.name,
    version,
    description: target.description,
    keywords: target.keywords,
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=22' },
    exports: {
      '.': { types: './index.d.ts', default: './index.js' },
      './package.json': './package.json',
    },
    ...(target.command === undefined ? {} : { bin: { [target.command]: './command.js' } }),
    files: ['*.js', '*.d.ts'],
    dependencies: Object.fromEntries(dependencies),
  };
}

/** The version of a package that is installed in this repository. */
export async function installedVersion(name: string): Promise<string> {
  return installedManifest.parse(await readJson(join(ROOT, 'node_modules', name, 'package.json'))).version;
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
