import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { SITE_FOLDER } from './site-folders.ts';

const DEFAULT_PORT = '4173';
const MEDIA_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.woff2', 'font/woff2'],
]);

/** `npm run docs:preview -- --port 4173`: the built site at 127.0.0.1 alone; the preview of VitePress listens on all addresses. */
const { values } = parseArgs({ options: { port: { type: 'string', default: DEFAULT_PORT } } });

const server = createServer(async ({ url = '/' }, response) => {
  const { pathname } = new URL(url, 'http://site');
  // Parsing has resolved dots already; an encoded one is resolved here, and stays below the folder.
  const path = normalize(`/${decodedPath(pathname)}`);
  const file = path.endsWith('/') ? `${path}index.html` : path;
  try {
    const content = await readFile(join(SITE_FOLDER, file));
    const type = MEDIA_TYPES.get(extname(file)) ?? 'text/plain; charset=utf-8';
    response.writeHead(200, { 'content-type': type }).end(content);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
  }
});
server.listen(Number(values.port), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${values.port}/\n`);
});

/** Invalid escapes stay as they are: no file has such a name. */
function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
