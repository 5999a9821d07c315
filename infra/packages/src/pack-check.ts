import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  commandHost,
  EXIT_CODES,
  type ExitCode,
  exitCodeHelp,
  parseCommandLine,
} from '@twinstream/command-line';
import { startLocalKinesis } from '@twinstream/local-aws/kinesis';
import { Argument, Command } from 'commander';
import { z } from 'zod';
import { buildPackage, installedVersion, packageFolder, ROOT, readmePath } from './build-package.ts';
import { runReadmeCommands } from './command-check.ts';
import { examplesOf } from './examples.ts';
import { PUBLIC_PACKAGES, type PublicPackage } from './public-packages.ts';
import { runCommand } from './run-command.ts';

const BIN = join(ROOT, 'node_modules/.bin');
const KIB = 1024;
/** The oldest line of Node that packages support: `engines` in their manifests. */
const OLDEST_NODE = '22';

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

/** Packs public packages, installs each tarball into an empty folder, and uses it there as its README says. */
async function main(): Promise<ExitCode> {
  const program = new Command('npm run pack:check --')
    .description(
      'Builds the public packages, and checks each from outside: installed from its tarball into an empty folder, and used as its README says.',
    )
    .addArgument(
      new Argument('[folders...]', 'packages to check; all by default').choices(
        PUBLIC_PACKAGES.map(({ folder }) => folder),
      ),
    )
    .addHelpText(
      'after',
      `\n${exitCodeHelp({ success: 'each package does what its README says', failed: 'one does not' })}`,
    );
  const ended = parseCommandLine(program, commandHost(process));
  if (ended !== undefined) return ended;
  const chosen = PUBLIC_PACKAGES.filter(
    ({ folder }) => program.args.length === 0 || program.args.includes(folder),
  );
  const folder = await mkdtemp(join(tmpdir(), 'twinstream-pack-check-'));
  const kinesis = await startLocalKinesis({ stream: 'devices' });
  try {
    for (const target of chosen) await buildPackage(target);
    const libraries = chosen.filter(({ isLibrary = true }) => isLibrary);
    await Promise.all(libraries.map((target) => checkLibrary(target, folder, kinesis.environment)));
    // One after the other, and beside nothing: a start is timed.
    for (const target of chosen.filter(({ isLibrary = true }) => !isLibrary)) {
      await checkCommand(target, folder);
    }
    return EXIT_CODES.success;
  } finally {
    await kinesis.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Tarball {
  readonly path: string;
  readonly size: number;
  readonly unpackedSize: number;
}

async function packIt(target: PublicPackage, folder: string): Promise<Tarball> {
  const source = packageFolder(target);
  const [tarball] = packed.parse(
    JSON.parse(await runCommand('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source })),
  );
  await runCommand(join(BIN, 'publint'), ['--strict', source], { cwd: ROOT });
  return { ...tarball, path: join(folder, tarball.filename) };
}

/** A command: on each supported line of Node, installed and used as its README says. */
async function checkCommand(target: PublicPackage, folder: string): Promise<void> {
  const tarball = await packIt(target, folder);
  const readme = await readFile(readmePath(target), 'utf8');
  for (const node of await nodesToTry(folder)) {
    if ('skipped' in node) {
      say(`${target.name}: ${node.skipped}`);
      continue;
    }
    const env = { PATH: `${node.binFolder}:${process.env.PATH}` };
    const consumer = join(folder, `${target.folder}-${node.version}`);
    await mkdir(consumer);
    const startedMs = performance.now();
    await addPackages(consumer, [tarball.path], env);
    const installMs = performance.now() - startedMs;
    const bytes = await folderBytes(join(consumer, 'node_modules'));
    const readyMs = await runReadmeCommands(readme, { folder: consumer, env });
    say(
      `${target.name} on Node ${node.version}: ${kib(tarball.size)} packed, ${kib(tarball.unpackedSize)} unpacked, ${kib(bytes)} with its dependencies, installed in ${seconds(installMs)}, devices on the page ${seconds(readyMs)} after start`,
    );
  }
}

/** The Node of this process, and the oldest line that packages support, where the registry of npm can be reached. */
async function nodesToTry(folder: string): Promise<readonly (NodeToTry | { readonly skipped: string })[]> {
  const own = { version: process.version, binFolder: dirname(process.execPath) };
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${process.platform}-${process.arch}`;
  const place = join(folder, 'oldest-node');
  await mkdir(place);
  try {
    await addPackages(place, [`${name}@${OLDEST_NODE}`]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [own, { skipped: `Node ${OLDEST_NODE} was skipped, since npm cannot install it: ${why}` }];
  }
  const binFolder = join(place, 'node_modules', name, 'bin');
  const version = await runCommand(join(binFolder, 'node'), ['--version'], { cwd: place });
  return [own, { version: version.trim(), binFolder }];
}

interface NodeToTry {
  readonly version: string;
  readonly binFolder: string;
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function checkLibrary(
  target: PublicPackage,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const tarball = await packIt(target, folder);
  const { path } = tarball;
  await runCommand(join(BIN, 'attw'), [path, '--profile', 'esm-only'], { cwd: ROOT });

  const consumer = join(folder, target.folder);
  await install(target, consumer, path);
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
async function install({ compilerOptions }: PublicPackage, consumer: string, tarball: string): Promise<void> {
  await mkdir(consumer);
  await writeFile(join(consumer, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await writeFile(
    join(consumer, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { ...CONSUMER_COMPILER_OPTIONS, ...compilerOptions },
      include: ['*.ts'],
    }),
  );
  await addPackages(consumer, [tarball, await exactly('@types/node')]);
}

async function addPackages(
  consumer: string,
  packages: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const flags = ['--prefer-offline', '--no-audit', '--no-fund'];
  await runCommand('npm', ['install', ...flags, ...packages], { cwd: consumer, env });
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

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

// An exit runs the handlers that end what was started; the default of a signal does not.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => process.exit(EXIT_CODES.interrupted));
process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT_CODES.failed;
});
