import { readFile } from 'node:fs/promises';
import type { DeviceJson, WholeDeviceList } from '@twinstream/api-contract';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { violationsOf } from './axe.ts';
import { isSkipped, serveFleet, skipNote } from './browser.ts';
import { simulatedFleet, simulatedId } from './simulated-fleet.ts';
import { startStubApi } from './stub-api.ts';

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1_440, height: 900 };

const served = serveFleet(150);

async function openPage(search: string, viewport = DESK): Promise<Page> {
  return served.open(`/?tz=UTC&${search}`, { viewport });
}

async function openList(search: string, viewport = DESK): Promise<Page> {
  const page = await openPage(search, viewport);
  await page.locator('.fleet-grid .grid-body .grid-row').nth(2).waitFor();
  return page;
}

const list = (search: string): Promise<WholeDeviceList> =>
  served.get<WholeDeviceList>(`/v1/devices?${search}`);
const batteryOf = ({ attributes }: DeviceJson): unknown => attributes.batteryPercent;
const overflowOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describe.skipIf(isSkipped)(`the list and the map in a browser${skipNote}`, () => {
  test('an attribute becomes a column, by which the list is sorted from the top', async () => {
    const page = await openList('liveness=offline');
    await page.getByText('Columns', { exact: true }).click();
    await page.getByRole('checkbox', { name: 'batteryPercent' }).check();
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press('Escape');
    const all = await openList('columns=batteryPercent');
    await all.locator('.fleet-grid').evaluate((grid) => grid.scrollTo(0, 2_000));
    await all.getByRole('button', { name: 'batteryPercent' }).click();
    expect(new URL(all.url()).searchParams.get('sort')).toBe('attributes.batteryPercent');
    await all.waitForFunction(() => document.querySelector('.fleet-grid')?.scrollTop === 0);
    const cells = all.locator('.grid-body .cell-attribute');
    const shown = (await cells.allInnerTexts()).map(Number);
    expect(shown.length).toBeGreaterThan(5);
    const { devices } = await list('sort=attributes.batteryPercent&order=desc&limit=150');
    // It moves meanwhile: the most charged are full, and stay so for a while.
    expect(Math.abs((shown[0] ?? 0) - Number(devices[0] && batteryOf(devices[0])))).toBeLessThan(5);
  });

  test('a condition on an attribute filters list, tiles and address, and is taken away by a click', async () => {
    const page = await openList('liveness=offline');
    const { devices } = await list('liveness=offline');
    const limit = Math.ceil(Math.max(...devices.map((device) => Number(batteryOf(device)))));
    await page.getByText('Attribute filter').click();
    const form = page.getByRole('form', { name: 'Attribute filter' });
    await form.getByLabel('Attribute').fill('batteryPercent');
    await form.getByLabel('Condition').selectOption('ge');
    await form.getByLabel('Value').fill(String(limit));
    await form.getByRole('button', { name: 'Filter' }).click();
    await page.getByText('No device meets these filters').waitFor();
    expect(new URL(page.url()).searchParams.getAll('attr.batteryPercent')).toEqual([`ge:${limit}`]);
    await page.getByRole('button', { name: `batteryPercent ≥ ${limit}: take it away` }).click();
    // As many as are offline by then: some are heard meanwhile, and others are not.
    await page
      .locator('.list-count')
      .filter({ hasText: /^[1-9]\d* devices?$/ })
      .waitFor();
    expect(new URL(page.url()).searchParams.has('attr.batteryPercent')).toBe(false);
    expect(await violationsOf(page)).toEqual([]);
  });

  test('a list whose rows have changed says that it is out of order, and sorts again', async () => {
    const simulated = simulatedFleet(6);
    const stub = await startStubApi({ fleet: simulated, pageFolder: served.pageFolder });
    const page = await served.open(`${stub.url}/?tz=UTC&sort=gaps&order=desc`, { viewport: DESK });
    const first = page.locator('.fleet-grid .grid-body .grid-row').first();
    await first.waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: /out of order/ }).count()).toBe(0);
    simulated.change(simulatedId(4), { counts: { events: 99, duplicates: 0, late: 0, gaps: 7 } });
    await page.getByRole('button', { name: /out of order: sort again/ }).click();
    await first.filter({ hasText: simulatedId(4) }).waitFor();
    await page.getByRole('button', { name: /out of order/ }).waitFor({ state: 'detached' });
    await stub.close();
  });

  test('a saved view comes back after a reload, with filters, order and columns', async () => {
    const page = await openList(
      'liveness=offline&columns=batteryPercent&sort=attributes.batteryPercent&order=asc',
    );
    await page.getByText('Views', { exact: true }).click();
    await page.getByLabel('Name of the view').fill('Low batteries');
    await page.getByRole('button', { name: 'Save this view' }).click();
    await page.goto(`${served.url}/?tz=UTC&site=cedar-park`);
    await page.getByText('Views', { exact: true }).click();
    await page.getByRole('link', { name: 'Low batteries' }).click();
    await page.locator('.grid-body .cell-attribute').first().waitFor();
    const { searchParams } = new URL(page.url());
    expect(Object.fromEntries(searchParams)).toEqual({
      tz: 'UTC',
      liveness: 'offline',
      columns: 'batteryPercent',
      sort: 'attributes.batteryPercent',
      order: 'asc',
    });
    await page.getByText('Views', { exact: true }).click();
    await page.getByRole('button', { name: 'Forget the view Low batteries' }).click();
    await page.getByText('No view is saved in this browser.').waitFor();
  });

  test.each(['CSV', 'NDJSON'])('the list is saved as %s, every device of the filter', async (format) => {
    const page = await openList('liveness=offline');
    await page.getByText('Export', { exact: true }).click();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: format, exact: true }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(new RegExp(`^devices-.*\\.${format.toLowerCase()}$`));
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split(/\r?\n/);
    const { devices } = await list('liveness=offline');
    const [header = '', ...rows] = lines;
    if (format === 'CSV') {
      expect(header).toContain('attributes.batteryPercent');
      expect(rows.map((row) => row.split(',')[0])).toEqual(devices.map(({ deviceId }) => deviceId));
    } else
      expect(lines.map((line) => JSON.parse(line).deviceId)).toEqual(devices.map(({ deviceId }) => deviceId));
  });

  test('columns without a value hide, until there is one', async () => {
    const simulated = simulatedFleet(6);
    const stub = await startStubApi({ fleet: simulated, pageFolder: served.pageFolder });
    const page = await served.open(`${stub.url}/?tz=UTC`, { viewport: DESK });
    const header = page.getByRole('columnheader', { name: 'Missing events' });
    await page.getByRole('columnheader', { name: 'Events', exact: true }).waitFor();
    await header.waitFor({ state: 'detached' });
    simulated.change(simulatedId(2), { counts: { events: 9, duplicates: 0, late: 0, gaps: 3 } });
    await header.waitFor();
    await stub.close();
  });

  test.each([
    ['a desk', DESK],
    ['a phone', PHONE],
  ])('menus and columns fit the window of %s', async (_, viewport) => {
    const page = await openList('columns=batteryPercent,speedMph', viewport);
    if (viewport === PHONE) await page.getByRole('button', { name: 'Filters', exact: true }).click();
    for (const name of ['Columns', 'Views', 'Export', 'Attribute filter']) {
      await page.getByText(name, { exact: true }).click();
      const box = await page.locator('.menu[open] .menu-panel').boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(viewport.width);
      await page.keyboard.press('Escape');
    }
    expect(await overflowOf(page)).toBe(0);
    expect(await page.locator('.grid-body .cell-attribute').first().innerText()).toMatch(/[\d.]+$/);
  });

  test('on a phone the filters are folded, which leaves most of the window to the list', async () => {
    const page = await openList('site=austin-north', PHONE);
    const site = page.getByLabel('Site');
    const toggle = page.getByRole('button', { name: 'Filters (1)' });
    expect(await site.isVisible()).toBe(false);
    expect(await toggle.getAttribute('aria-expanded')).toBe('false');
    const body = await page.locator('.fleet-grid').boundingBox();
    expect(body?.height).toBeGreaterThan(PHONE.height / 2);
    await toggle.click();
    expect(await toggle.getAttribute('aria-expanded')).toBe('true');
    await site.selectOption('');
    await page.getByRole('button', { name: 'Filters', exact: true }).waitFor();
    expect(await overflowOf(page)).toBe(0);
    expect(await violationsOf(page)).toEqual([]);
  });

  test.each([
    ['light', DESK, 'light'],
    ['on a phone, dark', PHONE, 'dark'],
  ] as const)(
    'the map shows where devices are, and the track of one: %s',
    async (_, viewport, colorScheme) => {
      const page = await served.open(`/?tz=UTC&view=map`, { viewport, colorScheme });
      await page.getByRole('img', { name: 'Map: 150 of 150 devices have a position' }).waitFor();
      const inked = await page.locator('.geo-map canvas').evaluate((canvas: HTMLCanvasElement) => {
        const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        return pixels.some((value) => value !== 0);
      });
      expect(inked).toBe(true);
      const { devices } = await list('liveness=offline&limit=1');
      const deviceId = devices[0]?.deviceId ?? '';
      await page.getByRole('combobox', { name: /^Device/ }).selectOption(deviceId);
      await page.getByText(/[1-9]\d* positions on its track/).waitFor();
      expect(await violationsOf(page)).toEqual([]);
      expect(await overflowOf(page)).toBe(0);
      await page.getByRole('link', { name: `Open ${deviceId}` }).click();
      await page.getByRole('img', { name: new RegExp(`^Track of ${deviceId}: \\d+ positions`) }).waitFor();
    },
  );
});
