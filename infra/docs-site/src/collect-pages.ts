import { readdirSync } from 'node:fs';
import { copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { headings } from './headings.ts';
import { RUNBOOK_SECTIONS } from './navigation.ts';
import { generatedPages, OPENAPI_FILE, openApiText } from './reference/generated-pages.ts';
import { type LinkResolver, rewriteLinks } from './rewrite-links.ts';
import { PAGES_FOLDER, ROOT } from './site-folders.ts';
import { pageFile, pageGroups, sourceText, unlistedDocuments } from './site-pages.ts';
import { type PageText, splitSections } from './split-sections.ts';

/** The document of the repository that is split into several pages. */
const RUNBOOK = 'docs/runbook.md';
/** Folders that documents link to, and the page that lists what is in each. */
const FOLDER_PAGES: ReadonlyMap<string, string> = new Map([
  ['docs/adr', '/adr/'],
  ['mappings', '/mappings'],
]);
/** The page that only the site has. */
const HOME = 'infra/docs-site/home.md';
/** README has no page: what it tells, the home page and its links tell. */
const README = 'README.md';

const PICTURES = 'docs/images';
const ICON = 'consumers/dashboard/public/icon.svg';

/** A document of the repository with its pages, mostly one. */
interface Document {
  readonly source: string;
  readonly pages: readonly PageText[];
}

/**
 * Makes the folder of pages again: the documents of the repository with the links of the site, and the pages generated from the code. Returns the number of pages.
 * Throws where a link leads nowhere, or a document is on no page of the navigation.
 */
export async function collectPages(): Promise<number> {
  const groups = pageGroups();
  const unlisted = unlistedDocuments(groups);
  if (unlisted.length > 0) throw new Error(`the navigation does not name ${unlisted.join(', ')}`);
  const documents = groups
    .flatMap(({ pages }) => pages)
    .flatMap(({ path, source }) => (source === undefined ? [] : [documentOf(source, path)]));
  const files = new Set([...picturePaths(), ICON]);
  const resolve = resolver(documents, files);

  await rm(PAGES_FOLDER, { recursive: true, force: true });
  const home = { source: HOME, pages: [{ path: '/', text: sourceText(HOME) }] };
  for (const { source, pages } of [home, ...documents]) {
    for (const { path, text } of pages) await writePage(path, rewriteLinks(text, source, resolve));
  }
  const generated = await generatedPages();
  for (const { path, text } of generated) await writePage(path, text);
  for (const path of files) await publish(path, `files/${path}`);
  await write(join(PAGES_FOLDER, 'public', OPENAPI_FILE), openApiText());
  return 1 + documents.flatMap(({ pages }) => pages).length + generated.length;
}

/** The home page names its picture where no link is rewritten: all pictures are published. */
function picturePaths(): readonly string[] {
  return readdirSync(join(ROOT, PICTURES)).map((name) => `${PICTURES}/${name}`);
}

function documentOf(source: string, path: string): Document {
  const page = { path, text: sourceText(source) };
  return { source, pages: source === RUNBOOK ? splitSections(page, RUNBOOK_SECTIONS) : [page] };
}

/** Resolves links between documents; every other file that is linked is added to `files`, to be published as it is. */
function resolver(documents: readonly Document[], files: Set<string>): LinkResolver {
  const places = new Map(
    documents.map(({ source, pages }) => [
      source,
      {
        first: pages[0]?.path ?? '/',
        anchors: new Map(
          [...pages].reverse().flatMap(({ path, text }) =>
            headings(text).map(({ anchor, level }) => [
              anchor,
              // The title of a split section is the title of its page.
              level === 1 ? path : `${path}#${anchor}`,
            ]),
          ),
        ),
      },
    ]),
  );
  // The sections that became pages are reached by their old anchors.
  for (const { title, path } of RUNBOOK_SECTIONS) {
    const anchor = headings(`# ${title}`)[0]?.anchor ?? '';
    places.get(RUNBOOK)?.anchors.set(anchor, path);
  }
  return ({ path, anchor }) => {
    const place = places.get(path);
    if (place !== undefined) return anchor === undefined ? place.first : place.anchors.get(anchor);
    if (path === README) return '/';
    const folder = FOLDER_PAGES.get(path);
    if (folder !== undefined) return folder;
    // A document that is on no page: VitePress would take it for one.
    if (path.endsWith('.md')) return undefined;
    files.add(path);
    return `/files/${path}`;
  };
}

async function writePage(path: string, text: string): Promise<void> {
  await write(join(PAGES_FOLDER, pageFile(path)), text);
}

async function publish(path: string, target: string): Promise<void> {
  const source = join(ROOT, path);
  if (!(await stat(source)).isFile()) throw new Error(`${path} is linked, and is no file`);
  const file = join(PAGES_FOLDER, 'public', target);
  await mkdir(dirname(file), { recursive: true });
  await copyFile(source, file);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
