import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { violationsOf } from './axe.ts';
import { isSkipped, skipNote, startBrowser, type TestBrowser } from './browser.ts';
import { type FixtureApi, startFixtureApi } from './fixture-api.ts';
import { simulatedFleet, simulatedId } from './simulated-fleet.ts';
import { type StubApi, startStubApi } from './stub-api.ts';

const SCREENS: readonly (readonly [string, BrowserContextOptions])[] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['on a phone', { viewport: { width: 390, height: 844 } }],
];

let browser: TestBrowser;
let api: FixtureApi;
let stub: StubApi;

async function openPage(url: string, options?: BrowserContextOptions): Promise<Page> {
  const { page, close } = await browser.open(url, options);
  onTestFinished(close);
  return page;
}

describe.skipIf(isSkipped)(`axe in a browser${skipNote}`, () => {
  beforeAll(async () => {
    browser = await startBrowser();
    api = await startFixtureApi(browser.pageFolder, 120);
    const fleet = simulatedFleet(30);
    fleet.change(simulatedId(1), { liveness: 'offline' });
    stub = await startStubApi({ fleet, pageFolder: browser.pageFolder });
  });
  afterAll(async () => {
    await api?.close();
    await stub?.close();
  });

  test.each(SCREENS)('has nothing against the fleet, %s', async (_, options) => {
    const page = await openPage(`${api.url}/?site=austin-north`, options);
    await page.locator('.fleet-grid .grid-row').nth(3).waitFor();
    expect(await violationsOf(page)).toEqual([]);
  });

  test.each(SCREENS)('has nothing against a device at a past moment, %s', async (_, options) => {
    const at = new Date(Date.now() - 40 * 60_000).toISOString();
    const page = await openPage(`${api.url}/?device=bus-0000&at=${at}`, options);
    await page.getByText(/changed since/).waitFor();
    await page.locator('.history-grid .grid-body .grid-row').first().click();
    await page.getByText('State as JSON').click();
    expect(await violationsOf(page)).toEqual([]);
  });

  test.each(SCREENS.slice(0, 2))('has nothing against the pipeline, %s', async (_, options) => {
    const page = await openPage(`${stub.url}/?view=pipeline`, options);
    await page.getByText('replay-7').waitFor();
    expect(await violationsOf(page)).toEqual([]);
  });

  test('has nothing against help, an empty list and a page whose API is gone', async () => {
    const page = await openPage(`${stub.url}/?q=nothing-like-it`);
    await page.getByText('No device meets these filters').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Keyboard' }).click();
    await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await stub.close();
    await page.getByText('The API does not answer.').waitFor();
    expect(await violationsOf(page)).toEqual([]);
  });
});
