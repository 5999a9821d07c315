/**
 * Takes the pictures of the page that the README shows, from a pipeline that runs:
 * `node consumers/dashboard/scripts/screenshots.ts http://127.0.0.1:8080 docs/images`.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { EventList, WholeDeviceList } from '@twinstream/api-contract';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM_ARGUMENTS, chromiumPath } from './chromium.ts';

const WAIT_MS = 20_000;
/** The pipeline's plots begin when the page is opened: so many samples make a line. */
const PIPELINE_WATCH_MS = 40_000;
/** How far back the picture of a past state looks. */
const PAST_EVENTS = 12;

interface Shot {
  readonly name: string;
  readonly query: Record<string, string>;
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
  readonly pixelRatio: number;
  readonly ready: (page: Page) => Promise<unknown>;
}

async function ask<T>(url: string, path: string): Promise<T> {
  const response = await fetch(new URL(path, url));
  if (!response.ok) throw new Error(`${path} answered with ${response.status}`);
  return (await response.json()) as T;
}

/** The device with the most to show, and a moment in its past. */
async function remarkableDevice(url: string): Promise<{ deviceId: string; at: string }> {
  const fleet = await ask<WholeDeviceList>(url, '/v1/devices?sort=late&order=desc&limit=1');
  const deviceId = fleet.devices[0]?.deviceId;
  if (deviceId === undefined) throw new Error('the pipeline knows no device yet');
  const path = `/v1/devices/${encodeURIComponent(deviceId)}/events?order=desc&limit=${PAST_EVENTS}`;
  const history = await ask<EventList>(url, path);
  const at = history.events.at(-1)?.arrivalTime;
  if (at === undefined) throw new Error(`${deviceId} has no history`);
  return { deviceId, at };
}

const fleetReady = async (page: Page): Promise<void> => {
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('.fleet-grid .grid-body .grid-row').first().waitFor();
};
const deviceReady = async (page: Page): Promise<void> => {
  await page.locator('.attributes').waitFor();
  await page.locator('.history-grid .grid-body .grid-row').first().waitFor();
  await page.locator('.plot canvas').first().waitFor();
};
const pipelineReady = async (page: Page): Promise<void> => {
  await page.locator('.shards tbody tr').first().waitFor();
  await page.waitForTimeout(PIPELINE_WATCH_MS);
};

async function shotsOf(url: string): Promise<readonly Shot[]> {
  const { deviceId, at } = await remarkableDevice(url);
  const laptop = { width: 1440, height: 900, pixelRatio: 1 };
  const phone = { width: 390, height: 844, pixelRatio: 2 };
  const tz = 'UTC';
  return [
    { name: 'fleet-light', query: { tz }, ...laptop, scheme: 'light', ready: fleetReady },
    { name: 'fleet-dark', query: { tz }, ...laptop, scheme: 'dark', ready: fleetReady },
    {
      name: 'device-past',
      query: { tz, device: deviceId, at },
      ...laptop,
      height: 1240,
      scheme: 'light',
      ready: deviceReady,
    },
    { name: 'pipeline', query: { tz, view: 'pipeline' }, ...laptop, scheme: 'dark', ready: pipelineReady },
    { name: 'fleet-phone', query: { tz }, ...phone, scheme: 'light', ready: fleetReady },
    {
      name: 'fleet-wall',
      query: { tz },
      width: 2560,
      height: 1440,
      pixelRatio: 1,
      scheme: 'dark',
      ready: fleetReady,
    },
  ];
}

async function take(browser: Browser, url: string, folder: string, shot: Shot): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: shot.width, height: shot.height },
    colorScheme: shot.scheme,
    deviceScaleFactor: shot.pixelRatio,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(`${url}/?${new URLSearchParams(shot.query)}`);
  await shot.ready(page);
  const path = join(folder, `${shot.name}.png`);
  await page.screenshot({ path });
  process.stdout.write(`${path}\n`);
  await context.close();
}

const [address, folder] = parseArgs({ allowPositionals: true }).positionals;
if (address === undefined || folder === undefined) {
  process.stderr.write('usage: node scripts/screenshots.ts <url of a running pipeline> <output folder>\n');
  process.exit(1);
}
if (chromiumPath === undefined) {
  process.stderr.write('no Chromium: apt-get install chromium, or set CHROMIUM_PATH\n');
  process.exit(1);
}
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: chromiumPath, args: CHROMIUM_ARGUMENTS });
try {
  const url = address.replace(/\/+$/, '');
  for (const shot of await shotsOf(url)) await take(browser, url, folder, shot);
} finally {
  await browser.close();
}
