import { readFileSync } from 'node:fs';
import { type LoadHookSync, type ResolveHookSync, registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

/** One place of the source and what stands there when the fault is seeded. */
interface Patch {
  /** File, from the repository's root. */
  readonly file: string;
  /** Text that stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Seeds within which a seeded fault must be found. */
export const SEEDED_FAULT_SEEDS_MAX = 10_000;

/** A mistake that somebody could make, and that the simulation must find. */
export interface SeededFault {
  readonly name: string;
  /** The seed that found it when it was looked for last: the tests try it first, and then all from 1 on. */
  readonly foundAt?: number;
  /** Found after more than five hundred seeds, which take ten seconds and more. */
  readonly isRare?: true;
  /** Seeds within which it must be found; {@link SEEDED_FAULT_SEEDS_MAX} where nothing is said. */
  readonly seedsMax?: number;
  readonly patches: readonly Patch[];
}

const ROOT = new URL('../../../', import.meta.url).href;
const QUERY = '?seeded-fault=';

interface Seeded extends SeededFault {
  /** Files that were loaded with a change. */
  readonly changed: Set<string>;
  /** Whether a module of this repository, by URL, is to be loaded again. */
  readonly isAffected: (url: string) => boolean;
}

/** Faults by the number that the URLs of their modules carry. */
const seeded: Seeded[] = [];
/** JavaScript of modules without a fault, by URL. */
const scripts = new Map<string, string>();
/** Modules of this repository that import a module, by URL, as far as they were loaded with a fault or for {@link learnImporters}. */
const importers = new Map<string, Set<string>>();
/** Modules whose importers are known, with those of all modules that they need. */
const learned = new Map<string, Promise<unknown>>();

/**
 * Imports a module with a fault. The modules of this repository that need a changed one are loaded again for this call; the others,
 * packages, files, and whatever was loaded before stay as they are, compiled and optimized. Rejects when a patch does not find its
 * text exactly once, or its file is not among the modules: the code has changed, and the fault must be seeded again.
 *
 * @param url address of the module, without a query
 */
export async function importWithFault<Module>(fault: SeededFault, url: URL): Promise<Module> {
  if (seeded.length === 0) registerHooks({ resolve: keepFault, load: loadWithFault });
  await learnImporters(url);
  const changed = new Set<string>();
  const affected = withImporters(fault.patches.map(({ file }) => `${ROOT}${file}`));
  const isAffected = (of: string): boolean => affected.has(of);
  const module = await importAs<Module>(url, { ...fault, changed, isAffected });
  const unused = fault.patches.find(({ file }) => !changed.has(file));
  if (unused !== undefined) throw new Error(`${fault.name}: ${unused.file} is not loaded`);
  return module;
}

function importAs<Module>(url: URL, fault: Seeded): Promise<Module> {
  return import(`${url.href}${QUERY}${seeded.push(fault) - 1}`);
}

/** Loads all that a module needs once more, without a fault, to see what imports what. */
function learnImporters(url: URL): Promise<unknown> {
  const known = learned.get(url.href);
  if (known !== undefined) return known;
  const unchanged = { name: 'no fault', patches: [], changed: new Set<string>(), isAffected: () => true };
  const learning = importAs(url, unchanged);
  learned.set(url.href, learning);
  return learning;
}

/** Modules and all that need them, by URL. */
function withImporters(urls: readonly string[]): ReadonlySet<string> {
  const found = new Set(urls);
  for (const url of found) for (const importer of importers.get(url) ?? []) found.add(importer);
  return found;
}

/** A module that was loaded with a fault loads those of this repository with it that it affects. */
const keepFault: ResolveHookSync = (specifier, context, nextResolve) => {
  const resolved = nextResolve(specifier, context);
  const [parent = '', number] = context.parentURL?.split(QUERY) ?? [];
  const fault = seeded[Number(number)];
  const { url } = resolved;
  const isOurs = url.startsWith(ROOT) && url.endsWith('.ts') && !url.includes('/node_modules/');
  if (fault === undefined || !isOurs) return resolved;
  importers.set(url, (importers.get(url) ?? new Set()).add(parent));
  return fault.isAffected(url) ? { ...resolved, url: `${url}${QUERY}${number}` } : resolved;
};

const loadWithFault: LoadHookSync = (url, context, nextLoad) => {
  const [file = '', number] = url.split(QUERY);
  const fault = seeded[Number(number)];
  if (fault === undefined) return nextLoad(url, context);
  const patches = fault.patches.filter((patch) => file === `${ROOT}${patch.file}`);
  const source = patches.length === 0 ? scriptOf(file) : patched(file, fault, patches);
  return { format: 'module', source, shortCircuit: true };
};

function scriptOf(url: string): string {
  const known = scripts.get(url) ?? stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'));
  scripts.set(url, known);
  return known;
}

function patched(url: string, { name, changed }: Seeded, patches: readonly Patch[]): string {
  let source = readFileSync(fileURLToPath(url), 'utf8');
  for (const { file, find, replace } of patches) {
    const parts = source.split(find);
    if (parts.length !== 2) throw new Error(`${name}: ${parts.length - 1} places to patch in ${file}`);
    source = parts.join(replace);
    changed.add(file);
  }
  return stripTypeScriptTypes(source);
}
