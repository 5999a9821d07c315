import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '@twinstream/cdk/bundles';
import { build } from 'tsdown';
import { z } from 'zod';
import type { PublicPackage } from './public-packages.ts';
import { lookedUpPackages, referencedFiles } from './referenced-files.ts';

export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));
const WORKSPACE = join(ROOT, 'infra/packages');
const LAMBDAS = 'lambdas';
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
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  const { isLibrary = true } = target;
  const folders = foldersOf(target);
  const {
    bundles: [built],
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
    tsconfig: join(ROOT, target.tsconfig ?? 'tsconfig.packages.json'),
    dts: isLibrary && { generator: 'tsgo' },
    deps: { alwaysBundle: [INTERNAL], neverBundle: [EXTERNAL] },
    treeshake: { moduleSideEffects: false },
    plugins: [
      referencedFiles({
        root: ROOT,
        folders,
        isInternal: (specifier) => INTERNAL.test(specifier),
      }),
    ],
    logLevel: 'error',
  });
  if (built === undefined) throw new Error(`${target.name} was not built`);
  const ownFiles = new Set(built.chunks.map(({ fileName }) => fileName));
  const imported = built.chunks
    .flatMap((chunk) =>
      chunk.type === 'chunk'
        ? [
            // Among them are packages of code that was left out: nothing names those.
            ...chunk.imports.filter((name) => chunk.code.includes(name)),
            ...chunk.dynamicImports,
            ...lookedUpPackages(chunk.code),
          ]
        : [],
    )
    .filter((name) => !ownFiles.has(name));
  for (const [source, name] of Object.entries(target.folders ?? {})) {
    await cp(join(ROOT, source), join(outDir, name), { recursive: true });
  }
  for (const name of target.lambdas ?? []) {
    await cp((await bundle(name)).folder, join(outDir, LAMBDAS, name), { recursive: true });
  }
  await copyFile(readmePath(target), join(outDir, 'README.md'));
  await copyFile(join(ROOT, 'LICENSE'), join(outDir, 'LICENSE'));
  const manifest = JSON.stringify(await manifestOf(target, imported), null, 2);
  await writeFile(join(outDir, 'package.json'), `${manifest}\n`);
}

/** Folders by their path in the repository. Bundles of functions are made while packing; code names their folder beside itself. */
function foldersOf({ folder, folders = {}, lambdas = [] }: PublicPackage): Readonly<Record<string, string>> {
  return lambdas.length === 0 ? folders : { ...folders, [`infra/packages/${folder}/${LAMBDAS}`]: LAMBDAS };
}

function entriesOf({ command, isLibrary = true }: PublicPackage): readonly string[] {
  return [...(isLibrary ? ['index'] : []), ...(command === undefined ? [] : ['command'])];
}

async function manifestOf(target: PublicPackage, imported: readonly string[]): Promise<object> {
  const { version, license } = rootManifest.parse(await readJson(join(ROOT, 'package.json')));
  const { isLibrary = true, optional = [], peers = [] } = target;
  const folders = foldersOf(target);
  const packages = [
    ...new Set(imported.filter((name) => EXTERNAL.test(name) && !isBuiltin(name)).map(packageOf)),
  ];
  const versions = async (names: readonly string[]) =>
    Object.fromEntries(
      await Promise.all(names.toSorted().map(async (name) => [name, await installedVersion(name)] as const)),
    );
  return {
    name: target.name,
    version,
    description: target.description,
    keywords: target.keywords,
    license,
    type: 'module',
    sideEffects: !isLibrary,
    engines: { node: '>=22' },
    exports: {
      ...(isLibrary ? { '.': { types: './index.d.ts', default: './index.js' } } : {}),
      './package.json': './package.json',
    },
    ...(target.command === undefined ? {} : { bin: { [target.command]: './command.js' } }),
    files: ['*.js', ...(isLibrary ? ['*.d.ts'] : []), ...Object.values(folders)],
    dependencies: await versions(packages.filter((name) => ![...optional, ...peers].includes(name))),
    ...(optional.length + peers.length === 0
      ? {}
      : {
          peerDependencies: {
            ...(await versions(optional)),
            ...Object.fromEntries(
              Object.entries(await versions(peers)).map(([name, installed]) => [name, `^${installed}`]),
            ),
          },
          peerDependenciesMeta: Object.fromEntries(optional.map((name) => [name, { optional: true }])),
        }),
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
