import { checkSite } from './check-site.ts';
import { collectPages } from './collect-pages.ts';
import { SITE_FOLDER } from './site-folders.ts';
import { buildSite } from './vitepress.ts';

/** `npm run docs:build`: the site below `dist/site`. Fails on a warning, a link or an anchor that leads nowhere, and a page that nobody would find. */
const start = process.hrtime.bigint();
const pageCount = await collectPages();
await buildSite();
const { pages, links } = checkSite(SITE_FOLDER);
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
process.stdout.write(
  `${pageCount} pages (${pages} files), ${links} links, in ${seconds.toFixed(1)} s: ${SITE_FOLDER}\n`,
);
