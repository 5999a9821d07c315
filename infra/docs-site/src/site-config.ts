import { defineConfig } from 'vitepress';
import { slug } from './headings.ts';
import { PAGES_FOLDER, SITE_FOLDER } from './site-folders.ts';
import { pageGroups, pageLabel } from './site-pages.ts';

/** The index of the search is one file of all text; it is loaded when somebody searches. */
const CHUNK_KILOBYTES_MAX = 4_000;

const groups = pageGroups();

/** VitePress configuration. Fonts, search and icons are part of the site: it loads nothing from elsewhere. */
export default defineConfig({
  title: 'Twinstream',
  description: 'A Kinesis pipeline for verifiable device state.',
  lang: 'en',
  head: [['link', { rel: 'icon', href: '/files/consumers/dashboard/public/icon.svg' }]],
  srcDir: PAGES_FOLDER,
  outDir: SITE_FOLDER,
  cacheDir: '../../node_modules/.cache/vitepress',
  cleanUrls: false,
  // A link that leads nowhere fails the build.
  ignoreDeadLinks: false,
  markdown: {
    html: false,
    anchor: { slugify: slug },
    languageAlias: { ndjson: 'json' },
  },
  vite: {
    build: { target: 'es2022', chunkSizeWarningLimit: CHUNK_KILOBYTES_MAX },
    server: { host: '127.0.0.1' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Get started', link: '/get-started' },
      { text: 'Tutorials', link: '/how-to/bring-your-fleet', activeMatch: '^/tutorials/' },
      { text: 'Reference', link: '/reference/cli', activeMatch: '^/reference/' },
      { text: 'Architecture', link: '/architecture' },
      { text: 'Runbook', link: '/runbook' },
    ],
    sidebar: groups.map(({ title, pages, isCollapsed = false }) => ({
      text: title,
      collapsed: isCollapsed,
      items: pages.map((page) => ({ text: pageLabel(page, PAGES_FOLDER), link: page.path })),
    })),
  },
});
