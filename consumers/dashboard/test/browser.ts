import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { CHROMIUM_ARGUMENTS, CHROMIUM_CANDIDATES, chromiumPath } from '../scripts/chromium.ts';
import { type FixtureApi, startFixtureApi } from './fixture-api.ts';

/** Where no browser is installed these tests are skipped; in CI they fail instead. */
export const isSkipped = chromiumPath === undefined && process.env.CI !== 'true';
export const skipNote = isSkipped ? ` (skipped: no Chromium at ${CHROMIUM_CANDIDATES.join(', ')})` : '';

/** A page in the browser, and what went wrong in it. */
export interface OpenPage {
  readonly page: Page;
  /** Errors thrown, policies violated, requests that left the page's own origin. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

export interface TestBrowser {
  /** Folder of the page as it was just built. */
  readonly pageFolder: string;
  open(url: string, options?: BrowserContextOptions): Promise<OpenPage>;
}

/** How long anything on the page may take. */
const WAIT_MS = 15_000;

let shared: Promise<TestBrowser> | undefined;

/** The page, built again, and a browser: once for all suites of a process, since both take seconds. They end with the process. */
export function startBrowser(): Promise<TestBrowser> {
  shared ??= launch().catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

async function launch(): Promise<TestBrowser> {
  if (chromiumPath === undefined)
    throw new Error('no Chromium: apt-get install chromium, or set CHROMIUM_PATH');
  const pageFolder = await mkdtemp(join(tmpdir(), 'twinstream-page-'));
  // vitest ends its processes by SIGTERM.
  for (const end of ['exit', 'SIGTERM'] as const) {
    process.once(end, () => rmSync(pageFolder, { recursive: true, force: true }));
  }
  await build({
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'error',
    build: { outDir: pageFolder, emptyOutDir: true },
  });
  const browser = await chromium.launch({ executablePath: chromiumPath, args: CHROMIUM_ARGUMENTS });
  browser.once('disconnected', () => {
    shared = undefined;
  });
  return { pageFolder, open: (url, options) => openPage(browser, url, options) };
}

async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    // A request that the API refuses is told by the page itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      faults.push(`console: ${message.text()}`);
    }
  });
  const { origin } = new URL(url);
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults, close: () => context.close() };
}

/** The page over the query API and a simulated fleet. */
export interface FleetPage {
  readonly url: string;
  readonly pageFolder: string;
  get<T>(path: string): Promise<T>;
  /** Opens a path of the API, or another URL, in place of the page that is open. */
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
}

/** Serves the page to the tests of a suite. What a test opens is closed after it, at the latest, and must have had no faults. */
export function serveFleet(devices: number): FleetPage {
  let browser: TestBrowser;
  let api: FixtureApi;
  let current: OpenPage | undefined;

  beforeAll(async () => {
    browser = await startBrowser();
    api = await startFixtureApi(browser.pageFolder, devices);
  });
  afterAll(() => api?.close());
  const closePage = async (): Promise<void> => {
    const faults = current?.faults ?? [];
    await current?.close();
    current = undefined;
    expect(faults).toEqual([]);
  };
  afterEach(closePage);
  return {
    get url() {
      return api.url;
    },
    get pageFolder() {
      return browser.pageFolder;
    },
    get: (path) => api.get(path),
    open: async (path, options) => {
      await closePage();
      current = await browser.open(new URL(path, api.url).href, options);
      return current.page;
    },
  };
}
