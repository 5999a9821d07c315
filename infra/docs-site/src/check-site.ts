import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Most clicks from the home page to any page. */
const CLICKS_MAX = 3;
/** A word of the documents that no template holds: a search must find it. */
const SEARCHED_WORD = 'quarantine';
/** The search is loaded from this file. */
const SEARCH_INDEX = /localSearchIndex.*\.js$/;
const NOT_FOUND_PAGE = '404.html';
/** Assets that a page loads by itself, from anywhere but the site. An ordinary link to another site is none. */
const LOADED_FROM_ELSEWHERE = /<(?:script|img|link)\b[^>]*(?:src|href)="(?:https?:)?\/\/[^"]*"/g;

/** What was walked. */
export interface WalkedSite {
  readonly pages: number;
  readonly links: number;
  /** Clicks from the home page by page. */
  readonly clicks: ReadonlyMap<string, number>;
}

/**
 * Walks the built site from its home page as a visitor does. Throws, with every fault, where a link, an anchor or a picture leads nowhere, a page is not reached within
 * three clicks, a page loads something from another host, or the search lacks its index.
 */
export function checkSite(folder: string): WalkedSite {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const pages = new Map(
    files
      .filter((path) => path.endsWith('.html') && path !== NOT_FOUND_PAGE)
      .map((path) => [`/${path}`, readFileSync(join(folder, path), 'utf8')]),
  );
  const faults: string[] = [];
  let links = 0;
  for (const [path, html] of pages) {
    for (const target of targets(html)) {
      links += 1;
      const fault = linkFault(target, path, { folder, pages });
      if (fault !== undefined) faults.push(`${path}: ${target}: ${fault}`);
    }
    for (const [asset] of html.matchAll(LOADED_FROM_ELSEWHERE)) faults.push(`${path}: loads ${asset}`);
  }
  const clicks = clicksFromHome(pages);
  for (const path of pages.keys()) {
    const count = clicks.get(path);
    if (count === undefined) faults.push(`${path}: no link leads to it`);
    else if (count > CLICKS_MAX) faults.push(`${path}: ${count} clicks from the home page`);
  }
  const index = files.filter((path) => SEARCH_INDEX.test(path));
  if (!index.some((path) => readFileSync(join(folder, path), 'utf8').includes(SEARCHED_WORD))) {
    faults.push(`no search index holds the word "${SEARCHED_WORD}"`);
  }
  if (faults.length > 0) throw new Error(`the built site has faults\n${faults.join('\n')}`);
  return { pages: pages.size, links, clicks };
}

/** Links and pictures of a page that lead to the site itself. */
function targets(html: string): readonly string[] {
  return [...html.matchAll(/<(?:a|img)\b[^>]*?\s(?:href|src)="([^"]+)"/g)]
    .map(([, target = '']) => target)
    .filter((target) => /^[/#]/.test(target) && !target.startsWith('//'));
}

function linkFault(
  target: string,
  from: string,
  { folder, pages }: { readonly folder: string; readonly pages: ReadonlyMap<string, string> },
): string | undefined {
  const { path, anchor } = parsed(target, from);
  const html = pages.get(path);
  if (html === undefined) return existsSync(join(folder, path)) ? undefined : 'is not there';
  if (anchor === '' || html.includes(` id="${anchor}"`)) return undefined;
  return 'has no such anchor';
}

function parsed(target: string, from: string): { readonly path: string; readonly anchor: string } {
  const { pathname, hash } = new URL(target, `http://site${from}`);
  const path = decodeURIComponent(pathname);
  return { path: path.endsWith('/') ? `${path}index.html` : path, anchor: decodeURIComponent(hash.slice(1)) };
}

function clicksFromHome(pages: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const clicks = new Map([['/index.html', 0]]);
  for (const [path, count] of clicks) {
    for (const target of targets(pages.get(path) ?? '')) {
      const { path: next } = parsed(target, path);
      if (pages.has(next) && !clicks.has(next)) clicks.set(next, count + 1);
    }
  }
  return clicks;
}
