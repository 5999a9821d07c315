import { readFile, realpath, stat } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import type { MiddlewareHandler } from 'hono';
import { PAGE_CONTENT_SECURITY_POLICY } from './security-headers.ts';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.map': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};
/** Files whose name holds a hash of their content never change. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.\w+$/;
/** What lies below it is an operation of the API, or nothing. */
const API_PREFIX = '/v1/';
const DAY_SECONDS = 86_400;

/** Says that there is no page at an address. */
const NOT_FOUND_PAGE = '/404.html';

/**
 * Serves the files of one folder, and nothing outside it, with the policy of a page. A browser that navigates to a path
 * that is not a file gets the folder's page for that, with status 404; anything else goes on to the next handler.
 */
export function staticFiles(folder: string): MiddlewareHandler {
  const root = realpath(resolve(folder));
  return async (context, next) => {
    const { path } = context.req;
    const navigates =
      context.req.header('accept')?.includes('text/html') === true &&
      extname(path) === '' &&
      !path.startsWith(API_PREFIX);
    const found = await fileOf(await root, path);
    const file = found ?? (navigates ? await fileOf(await root, NOT_FOUND_PAGE) : undefined);
    if (file === undefined) return next();
    const status = found === undefined || path === NOT_FOUND_PAGE ? 404 : 200;
    const cacheControl = HASHED.test(file) ? `public, max-age=${365 * DAY_SECONDS}, immutable` : 'no-cache';
    return context.body(new Uint8Array(await readFile(file)), status, {
      'content-type': MEDIA_TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': PAGE_CONTENT_SECURITY_POLICY,
      'cache-control': cacheControl,
    });
  };
}

/** The file that a path names, or undefined: none, outside the folder, hidden, or not to be decoded. */
async function fileOf(root: string, path: string): Promise<string | undefined> {
  let name: string;
  try {
    name = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  if (name.includes('\0') || name.split('/').some((part) => part.startsWith('.'))) return undefined;
  try {
    const file = await realpath(join(root, name.endsWith('/') ? `${name}index.html` : name));
    return file.startsWith(root + sep) && (await stat(file)).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}
