import { hash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile, type Plugin } from 'esbuild';
import { BUNDLE_FILE, BUNDLE_NAMES, type BundleName, useCodeFolder } from './code-folders.ts';

export { BUNDLE_NAMES, type BundleName } from './code-folders.ts';

/** Entry file of each bundle. */
const ENTRIES: Readonly<Record<BundleName, string>> = {
  'state-projector': beside('@twinstream/state-projector', 'lambda.ts'),
  'event-archiver': beside('@twinstream/event-archiver', 'lambda.ts'),
  'query-api': beside('@twinstream/query-api', 'lambda.ts'),
  'query-service': beside('@twinstream/query-api', 'main.ts'),
  corrections: beside('@twinstream/query-api', 'corrections-lambda.ts'),
  quarantine: beside('@twinstream/query-api', 'quarantine-lambda.ts'),
  operations: beside('@twinstream/operations', 'main.ts'),
  'canary-device': fileURLToPath(new URL('./canary-device/lambda.ts', import.meta.url)),
  'status-publisher': fileURLToPath(new URL('./status-publisher/lambda.ts', import.meta.url)),
};

const BUNDLES_DIR = fileURLToPath(new URL('../dist/bundles', import.meta.url));

const COMMAND_FILE = /@aws-sdk\/client-([\w-]+)\/.*\/commands\/(\w+)Command\.js$/;

/** CommonJS packages inside an ES module ask for `require`. */
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

function beside(packageName: string, file: string): string {
  return fileURLToPath(new URL(file, import.meta.resolve(packageName)));
}

/** One bundled app. */
export interface Bundle {
  /** Holds the module and its source map, and nothing else. Its name is a hash of them. */
  readonly folder: string;
  /** Module and source map, as they are uploaded. */
  readonly compressedBytes: number;
  /** Operations of AWS whose commands the module contains, such as `dynamodb:GetItem`. It may not call all of them. */
  readonly operations: readonly string[];
}

const bundles = new Map<BundleName, Promise<Bundle>>();

/**
 * Bundles an app with everything that it needs, the AWS SDK included: what runs is what was tested, whatever the runtime
 * brings. Done once a process; esbuild runs here, so that neither Docker nor a build step is needed.
 */
export function bundle(name: BundleName): Promise<Bundle> {
  const known = bundles.get(name);
  if (known !== undefined) return known;
  const making = makeBundle(name);
  bundles.set(name, making);
  return making;
}

/** Makes all bundles. Stacks are made without waiting, and find them then. */
export async function prepareBundles(): Promise<void> {
  await Promise.all(BUNDLE_NAMES.map(async (name) => useCodeFolder(name, (await bundle(name)).folder)));
}

/**
 * Leaves the insides of packages out of the source map: Node reads the whole map at each cold start, and nine tenths of it
 * would be theirs. esbuild carries on the map that a file brings, and this one points at the file as a whole.
 */
const ownSourcesOnly: Plugin = {
  name: 'own-sources-only',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, 'utf8')}\n${FILE_MAP}`,
      loader: 'js',
    }));
  },
};
// In parts, or tools that read this file would take it for a map of its own.
const MAP_COMMENT = ['//#', 'sourceMappingURL=data:application/json;base64,'].join(' ');
const WHOLE_FILE = { version: 3, sources: ['package'], sourcesContent: [''], names: [], mappings: 'AAAA' };
const FILE_MAP = MAP_COMMENT + Buffer.from(JSON.stringify(WHOLE_FILE)).toString('base64');

/** Leaves out the messages of zod in all languages but English, its default: they cost 30 ms of each cold start. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

async function makeBundle(name: BundleName): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    plugins: [englishOnly, ownSourcesOnly],
    entryPoints: [ENTRIES[name]],
    outfile: join(BUNDLES_DIR, BUNDLE_FILE),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    legalComments: 'none',
    // Names and lines for stack traces; the sources themselves lie in the repository.
    sourcemap: true,
    sourcesContent: false,
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  const digest = hash('sha256', Buffer.concat(outputFiles.map(({ contents }) => contents)), 'hex');
  const folder = join(BUNDLES_DIR, `${name}-${digest.slice(0, 16)}`);
  if (!existsSync(folder)) {
    mkdirSync(BUNDLES_DIR, { recursive: true });
    const unfinished = mkdtempSync(join(BUNDLES_DIR, '.unfinished-'));
    for (const { path, contents } of outputFiles) writeFileSync(join(unfinished, basename(path)), contents);
    publish(unfinished, folder);
  }
  const compressedBytes = outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0);
  return { folder, compressedBytes, operations: operationsOf(metafile) };
}

/** Commands of the AWS SDK that tree shaking has left: each is a file of its own. */
function operationsOf({ outputs }: Metafile): readonly string[] {
  return Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([file]) => {
      const [, service, operation] = COMMAND_FILE.exec(file) ?? [];
      return service === undefined ? [] : [`${service}:${operation}`];
    })
    .sort();
}

/** Renames the folder into place; another process may have been faster, with the same content. */
function publish(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}
