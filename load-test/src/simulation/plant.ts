import { registerHooks } from 'node:module';
import type { PlantedBug } from './planted-bugs.ts';

const ROOT = new URL('../../../', import.meta.url).href;

/**
 * Changes the source of modules that are loaded after this call. The files stay as they are. Throws when a patch does not
 * find its text exactly once: the code has moved on, and the bug must be planted anew.
 */
export function plant({ name, patches }: PlantedBug): void {
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
