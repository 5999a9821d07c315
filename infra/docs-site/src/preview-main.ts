import { runVitepress } from './vitepress.ts';

/** `npm run docs:preview`: the built site at 127.0.0.1. */
process.exitCode = await runVitepress(['preview', '--host', '127.0.0.1', ...process.argv.slice(2)]);
