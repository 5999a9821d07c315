import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { titleOf } from './headings.ts';
import { NAVIGATION, type PageGroup, type SitePage } from './navigation.ts';
import { ROOT } from './site-folders.ts';

/** Text of a file of the repository. */
export function sourceText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The groups of the navigation with the documents of their folders. A document stands in one group: the first that names it. */
export function pageGroups(): readonly PageGroup[] {
  const named = new Set(NAVIGATION.flatMap(({ pages }) => pages.map(({ source }) => source)));
  return NAVIGATION.map((group) => ({
    ...group,
    pages: [...group.pages, ...(group.folder === undefined ? [] : documentsOf(group.folder, named))],
  }));
}

function documentsOf(folder: string, named: ReadonlySet<string | undefined>): readonly SitePage[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md') && !named.has(`${folder}/${name}`))
    .sort()
    .map((name) => ({
      path: `/${folder.replace('docs/', '')}/${basename(name, '.md')}`,
      source: `${folder}/${name}`,
    }));
}

/** Documents below `docs/` that no group names. A build with such a page fails: nobody would find it. */
export function unlistedDocuments(groups: readonly PageGroup[]): readonly string[] {
  const listed = new Set(groups.flatMap(({ pages }) => pages.map(({ source }) => source)));
  return readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((path) => `docs/${path}`)
    .filter((path) => path.endsWith('.md') && !listed.has(path))
    .sort();
}

/** Path of a page's file below the folder of pages: `/adr/` is `adr/index.md`. */
export function pageFile(path: string): string {
  return `${path.slice(1)}${path.endsWith('/') ? 'index' : ''}.md`;
}

/** What the navigation calls a page. */
export function pageLabel({ path, label, source }: SitePage, pagesFolder: string): string {
  if (label !== undefined) return label;
  const file = join(pagesFolder, pageFile(path));
  return titleOf(
    source === undefined && existsSync(file) ? readFileSync(file, 'utf8') : sourceText(source ?? ''),
    path,
  );
}
