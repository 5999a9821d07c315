import { registerHooks } from 'node:module';

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

/**
 * Changes the source of modules that are loaded after this call. The files stay as they are. Throws when a patch does not
 * find its text exactly once: the code has changed, and the fault must be seeded again.
 */
export function seedFault({ name, patches }: SeededFault): void {
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const here = patches.filter(({ file }) => url === `${ROOT}${file}`);
      if (here.length === 0) return loaded;
      let source = String(loaded.source);
      for (const { file, find, replace } of here) {
        const parts = source.split(find);
        if (parts.length !== 2) throw new Error(`${name}: ${parts.length - 1} places to patch in ${file}`);
        source = parts.join(replace);
      }
      return { ...loaded, source };
    },
  });
}
