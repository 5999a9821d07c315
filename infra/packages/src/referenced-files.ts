import { basename, dirname, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TsdownPlugin } from 'tsdown';

/** Either form, in one pass: what replaces the one looks like the other. */
const REFERENCE =
  /new URL\(\s*'(?<path>[^']+)',\s*import\.meta\.url,?\s*\)|import\.meta\.resolve\(\s*'(?<specifier>[^']+)',?\s*\)/g;
/** Names of entries that say nothing without their workspace. */
const GENERIC_NAMES: ReadonlySet<string> = new Set(['main', 'lambda']);

export interface ReferencedFilesOptions {
  readonly root: string;
  /** Folders that the package holds, by their path in the repository: the name there. */
  readonly folders: Readonly<Record<string, string>>;
  readonly isInternal: (specifier: string) => boolean;
}

/**
 * Takes into a bundle what code names by `new URL('…', import.meta.url)` and `import.meta.resolve('…')`: a module, which is started as a
 * process or a thread, becomes an entry of its own; a folder is the one that the package holds; `package.json` is that of the
 * package. Throws for a folder that the package does not hold, and for any other file.
 */
export function referencedFiles(options: ReferencedFilesOptions): TsdownPlugin {
  const { root, folders, isInternal } = options;
  const placeOf = (path: string): string => {
    const inRepository = relative(root, path);
    if (basename(path) === 'package.json') return 'package.json';
    const folder = folders[inRepository];
    if (folder === undefined) throw new Error(`the package does not hold ${inRepository}`);
    return `${folder}/`;
  };
  return {
    name: 'referenced-files',
    transform: {
      filter: { code: /import\.meta\.(?:url|resolve)/ },
      async handler(code, id) {
        if (id.includes('node_modules')) return null;
        const emit = (module: string) => {
          const fileName = `${entryName(module)}.js`;
          this.emitFile({ type: 'chunk', id: module, fileName });
          return `new URL('./${fileName}', import.meta.url)`;
        };
        let rest = 0;
        let result = '';
        for (const { index, 0: text, groups: { path, specifier = '' } = {} } of code.matchAll(REFERENCE)) {
          result += code.slice(rest, index);
          rest = index + text.length;
          if (path !== undefined) {
            const file = fileURLToPath(new URL(path, pathToFileURL(id)));
            result += file.endsWith('.ts') ? emit(file) : `new URL('./${placeOf(file)}', import.meta.url)`;
          } else if (isInternal(specifier)) {
            const resolved = await this.resolve(specifier, id);
            if (resolved === null) throw new Error(`${id}: cannot resolve ${specifier}`);
            result += `${emit(resolved.id)}.href`;
          } else result += text;
        }
        return result + code.slice(rest);
      },
    },
  };
}

/** A file name that tells processes apart: that of the module, or of the workspace where every workspace has such a module. */
function entryName(module: string): string {
  const name = basename(module, '.ts');
  if (!GENERIC_NAMES.has(name)) return name;
  return `${basename(dirname(dirname(module)))}-${name}`;
}

/** The packages that built code looks up by `import.meta.resolve`. */
export function lookedUpPackages(code: string): readonly string[] {
  return [...code.matchAll(REFERENCE)].flatMap(({ groups }) => groups?.specifier ?? []);
}
