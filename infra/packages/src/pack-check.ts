import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalKinesis } from '@twinstream/local-aws/kinesis';
import { z } from 'zod';
import { buildPackage, installedVersion, packageFolder, ROOT, readmePath } from './build-package.ts';
import { examplesOf } from './examples.ts';
import { PUBLIC_PACKAGES, type PublicPackage } from './public-packages.ts';
import { runCommand } from './run-command.ts';

const BIN = join(ROOT, 'node_modules/.bin');
const KIB = 1024;

/** As strict as a consumer can be: the types of the package and of its dependencies are checked as well. */
const CONSUMER_COMPILER_OPTIONS = {
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
};

const packed = z.tuple([
  z.object({ filename: z.string(), size: z.number(), unpackedSize: z.number(), files: z.array(z.unknown()) }),
]);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Packs every public package, installs each tarball into an empty folder, and uses it there as its README says. */
async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'twinstream-pack-check-'));
  const kinesis = await startLocalKinesis({ stream: 'devices' });
  try {
    for (const target of PUBLIC_PACKAGES) await buildPackage(target);
    await Promise.all(PUBLIC_PACKAGES.map((target) => check(target, folder, kinesis.environment)));
  } finally {
    await kinesis.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function check(
  target: PublicPackage,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const source = packageFolder(target);
  const [tarball] = packed.parse(
    JSON.parse(await runCommand('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source })),
  );
  const path = join(folder, tarball.filename);
  await runCommand(join(BIN, 'publint'), ['--strict', source], { cwd: ROOT });
  await runCommand(join(BIN, 'attw'), [path, '--profile', 'esm-only'], { cwd: ROOT });

  const consumer = join(folder, target.folder);
  await install(consumer, path);
  const examples = examplesOf(await readFile(readmePath(target), 'utf8'));
  for (const [index, { code }] of examples.entries()) {
    await writeFile(join(consumer, `example-${index + 1}.ts`), code);
  }
  await checkAwsClients(target, consumer);
  const { examplesNeed = [] } = target;
  if (examplesNeed.length > 0) await addPackages(consumer, await Promise.all(examplesNeed.map(exactly)));
  await runCommand(join(BIN, 'tsc'), ['-p', consumer], { cwd: consumer });
  for (const [index, { output }] of examples.entries()) {
    await runExample({ consumer, number: index + 1, output, env });
  }
  const loadMs = await loadTimeMs(consumer, target.name);
  say(
    `${target.name}: ${examples.length} examples, ${kib(tarball.size)} packed, ${kib(tarball.unpackedSize)} unpacked, loaded in ${loadMs} ms, AWS clients: ${target.awsClients?.join(', ') ?? 'none'}`,
  );
}

/** A project of somebody else: nothing but the tarball, its dependencies, and the types of Node. */
async function install(consumer: string, tarball: string): Promise<void> {
  await mkdir(consumer);
  await writeFile(join(consumer, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await writeFile(
    join(consumer, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: CONSUMER_COMPILER_OPTIONS, include: ['*.ts'] }),
  );
  await addPackages(consumer, [tarball, await exactly('@types/node')]);
}

async function addPackages(consumer: string, packages: readonly string[]): Promise<void> {
  const flags = ['--prefer-offline', '--no-audit', '--no-fund'];
  await runCommand('npm', ['install', ...flags, ...packages], { cwd: consumer });
}

async function exactly(name: string): Promise<string> {
  return `${name}@${await installedVersion(name)}`;
}

/** What is not installed cannot be loaded. */
async function checkAwsClients({ name, awsClients = [] }: PublicPackage, consumer: string): Promise<void> {
  const modules = await readdir(join(consumer, 'node_modules'), { recursive: true, withFileTypes: true });
  const clients = modules
    .filter((entry) => entry.isDirectory() && entry.parentPath.endsWith(join('node_modules', '@aws-sdk')))
    .map((entry) => entry.name)
    .filter((folder) => folder.startsWith('client-'));
  if ([...new Set(clients)].sort().join() !== [...awsClients].sort().join()) {
    throw new Error(`${name} brings the AWS clients ${clients.join(', ')}`);
  }
}

interface ExampleRun {
  readonly consumer: string;
  readonly number: number;
  /** What the README says that the example writes. */
  readonly output: string;
  readonly env: Readonly<Record<string, string>>;
}

async function runExample({ consumer, number, output, env }: ExampleRun): Promise<void> {
  const written = await runCommand(process.execPath, [`example-${number}.ts`], { cwd: consumer, env });
  if (written !== output) {
    throw new Error(`example ${number} of ${consumer} wrote\n${written}\nand its README says\n${output}`);
  }
}

async function loadTimeMs(consumer: string, name: string): Promise<string> {
  const code = `const from = performance.now(); await import('${name}'); console.log((performance.now() - from).toFixed(0));`;
  const output = await runCommand(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: consumer,
  });
  return output.trim();
}

function kib(bytes: number): string {
  return `${(bytes / KIB).toFixed(1)} KiB`;
}

await main();
