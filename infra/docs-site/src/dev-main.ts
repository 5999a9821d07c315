import { watch } from 'node:fs';
import { join } from 'node:path';
import { collectPages } from './collect-pages.ts';
import { ROOT } from './site-folders.ts';
import { runVitepress } from './vitepress.ts';

/** Time after a change until pages are collected again, in milliseconds: an editor writes several times. */
const SETTLE_MS = 300;

/** `npm run docs:dev`: the site at 127.0.0.1, which follows the documents as they are edited. */
await collectPages();
let timer: NodeJS.Timeout | undefined;
const watcher = watch(join(ROOT, 'docs'), { recursive: true }, () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    // A link that leads nowhere yet is reported, and the pages stay as they were made until then.
    collectPages().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  }, SETTLE_MS);
});
process.exitCode = await runVitepress(['dev', ...process.argv.slice(2)]);
watcher.close();
clearTimeout(timer);
