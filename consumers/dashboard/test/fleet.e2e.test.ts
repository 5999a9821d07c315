import type { Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isSkipped, type OpenPage, skipNote, startBrowser, type TestBrowser } from './browser.ts';
import { countNodes } from './main-thread.ts';
import { type SimulatedFleet, simulatedFleet, simulatedId } from './simulated-fleet.ts';
import { PIPELINE, type StubApi, type StubOptions, startStubApi } from './stub-api.ts';

const FLEET_SIZE = 60;

let browser: TestBrowser;
let fleet: SimulatedFleet;
let api: StubApi | undefined;
let open: OpenPage | undefined;

const rowOf = (page: Page, deviceId: string) =>
  page.locator('.fleet-grid .grid-body .grid-row', { hasText: deviceId });

/** Serves the page over the made fleet and opens it. */
async function openPage(path = '/', options: Partial<StubOptions> = {}): Promise<Page> {
  api = await startStubApi({ fleet, pageFolder: browser.pageFolder, ...options });
  open = await browser.open(api.url + path);
  return open.page;
}

async function openLive(path = '/'): Promise<Page> {
  const page = await openPage(path);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('.fleet-grid').waitFor();
  return page;
}

describe.skipIf(isSkipped)(`the fleet in a browser${skipNote}`, () => {
  beforeAll(async () => {
    browser = await startBrowser();
  });
  beforeEach(() => {
    fleet = simulatedFleet(FLEET_SIZE);
  });
  afterEach(async () => {
    const faults = open?.faults ?? [];
    await open?.close();
    await api?.close();
    open = undefined;
    api = undefined;
    expect(faults).toEqual([]);
  });

  test('shows every device, and counts them', async () => {
    const page = await openLive();
    expect(await page.getByText('60 devices').isVisible()).toBe(true);
    expect(await page.getByRole('button', { name: /All devices/ }).textContent()).toContain('60');
    expect(await rowOf(page, simulatedId(0)).textContent()).toContain('Online');
  });

  test('a change shows in its row, which stays where it is', async () => {
    const page = await openLive('/?sort=lastArrivalTime&order=desc');
    const row = rowOf(page, simulatedId(7));
    const before = await row.getAttribute('aria-rowindex');
    fleet.change(simulatedId(7), { attributes: { speedMph: 88.5 }, liveness: 'stale' });
    await row.getByText('88.5').waitFor();
    expect(await row.textContent()).toContain('Stale');
    expect(await row.getAttribute('aria-rowindex')).toBe(before);
  });

  test('a device whose events may wait in the pipeline is unknown, and why is told', async () => {
    fleet.change(simulatedId(0), { liveness: 'unknown' });
    const [shard] = PIPELINE.shards;
    if (shard === undefined) throw new Error('no shard');
    const page = await openPage('/', {
      pipeline: { ...PIPELINE, shards: [{ ...shard, lagMs: 160_000 }] },
    });
    const mark = rowOf(page, simulatedId(0)).getByText('Unknown');
    await mark.waitFor();
    await page.waitForFunction(
      (element) => element?.getAttribute('title') === 'the pipeline is 2 m 40 s behind',
      await mark.elementHandle(),
    );
    await page.getByRole('button', { name: /^Unknown 1/ }).click();
    await page.getByText('1 device', { exact: true }).waitFor();
    await page.goto(`${api?.url}/?device=${simulatedId(0)}`);
    await page.getByText('Unknown, the pipeline is 2 m 40 s behind').waitFor();
  });

  test('a lag of the pipeline shows on every page, and nothing is called live', async () => {
    const lagging = PIPELINE.shards.map((shard) => ({ ...shard, lagMs: 160_000 }));
    const page = await openPage('/', { pipeline: { ...PIPELINE, shards: lagging } });
    for (const path of ['/', `/?device=${simulatedId(0)}`, '/?view=pipeline']) {
      await page.goto(api?.url + path);
      await page.getByText('The pipeline is 2 m 40 s behind.').waitFor();
      await page.locator('.connection').getByText('Behind').waitFor();
      expect(await page.getByText('Live', { exact: true }).count()).toBe(0);
    }
  });

  test('the pipeline page tells rates, backlog and when it will have caught up', async () => {
    const shards = PIPELINE.shards.map((shard) => ({
      ...shard,
      recordsPerSecond: 10,
      processedPerSecond: 20,
      backlogRecords: 1_200,
    }));
    const page = await openPage('/?view=pipeline', { pipeline: { ...PIPELINE, shards } });
    const figures = page.locator('.figures');
    await figures.waitFor();
    expect((await figures.innerText()).replaceAll(/\s+/g, ' ')).toMatch(
      /Arriving 20\.0 .*Processed 40\.0 .*Backlog 2,400 records wait; caught up in 2 m 00 s/,
    );
  });

  test('nothing is red while the counts are unknown', async () => {
    const page = await openPage('/', {});
    await page.route('**/v1/fleet/summary*', () => undefined);
    await page.reload();
    const tile = page.getByRole('button', { name: /^Needs attention/ });
    await tile.waitFor();
    const colours = () =>
      page.locator('.tile').evaluateAll((tiles) => tiles.map((each) => getComputedStyle(each).borderColor));
    expect(await tile.innerText()).toContain('–');
    const [, online, , , trouble] = await colours();
    expect(trouble).toBe(online);
  });

  test('nothing overlaps on a phone, whatever a row says', async () => {
    for (const [index, patch] of (
      [
        { liveness: 'offline', status: 'disconnected' },
        { liveness: 'unknown' },
        { liveness: 'stale', labels: { site: 'a-site-with-a-name-that-is-quite-long' } },
      ] as const
    ).entries()) {
      fleet.change(`aaa-${index}-a-device-whose-name-is-long-enough-to-fill-the-line`, {
        ...patch,
        counts: { events: 9, duplicates: 0, late: 0, gaps: 3 },
      });
    }
    api = await startStubApi({ fleet, pageFolder: browser.pageFolder });
    open = await browser.open(api.url, { viewport: { width: 360, height: 800 } });
    const { page } = open;
    await rowOf(page, 'aaa-2').waitFor();
    await page.getByRole('button', { name: /^Unknown/ }).waitFor();
    const faults = await page.evaluate(() => {
      const found: string[] = [];
      const clash = (a: DOMRect, b: DOMRect) =>
        a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
      for (const parent of document.querySelectorAll('.grid-body .grid-row, .grid-head .grid-row, .tiles')) {
        const boxes = [...parent.children].filter((child) => child.getClientRects().length > 0);
        for (const [index, a] of boxes.entries()) {
          for (const b of boxes.slice(index + 1)) {
            if (clash(a.getBoundingClientRect(), b.getBoundingClientRect()))
              found.push(`${a.textContent} overlaps ${b.textContent}`);
          }
        }
      }
      for (const label of document.querySelectorAll('.tile, .cell-standing')) {
        if (label.scrollWidth > label.clientWidth + 1) found.push(`${label.textContent} is cut`);
      }
      return found;
    });
    expect(faults).toEqual([]);
  });

  test('online does not stand beside disconnected', async () => {
    fleet.change(simulatedId(0), { liveness: 'offline', status: 'disconnected' });
    fleet.change(simulatedId(3), { liveness: 'online', status: 'disconnected' });
    const page = await openLive();
    const left = await rowOf(page, simulatedId(0)).innerText();
    expect(left).toContain('Disconnected');
    expect(left).not.toContain('Offline');
    expect(await rowOf(page, simulatedId(3)).innerText()).toContain('disconnected before');
  });

  test('a device tells why it needs attention, and since when', async () => {
    const since = new Date(Date.now() - 200_000).toISOString();
    const page = await openPage(`/?device=${simulatedId(7)}`, {
      troubles: [
        { trouble: 'gaps', cause: 'not arrived: counter 4 of session 1', since, acknowledgement: null },
      ],
    });
    const trouble = page.getByRole('list', { name: 'Troubles' });
    await trouble.waitFor();
    expect(await trouble.innerText()).toMatch(
      /gaps\s+for 3 m \d\d s, since .*: not arrived: counter 4 of session 1/,
    );
  });

  test('ages tick', async () => {
    const page = await openLive();
    const age = rowOf(page, simulatedId(3)).locator('.age');
    const before = await age.textContent();
    await page.waitForFunction(
      ([text]) => document.querySelector('#fleet-grid-row-3 .age')?.textContent !== text,
      [before],
    );
  });

  test('new devices are announced, and come when they are asked for', async () => {
    const page = await openLive();
    fleet.change('aaa-new-1');
    fleet.change('aaa-new-2');
    const announced = page.getByRole('button', { name: '+2 new', exact: true });
    await announced.waitFor();
    expect(await rowOf(page, 'aaa-new-1').count()).toBe(0);
    await announced.click();
    await rowOf(page, 'aaa-new-1').waitFor();
    expect(await page.getByText('62 devices').isVisible()).toBe(true);
    expect(await page.getByText(/\+\d+ new/).count()).toBe(0);
  });

  test('a device that no longer meets the filter stays in its row until the list is read again', async () => {
    fleet.change(simulatedId(4), { liveness: 'stale' });
    fleet.change(simulatedId(5), { liveness: 'stale' });
    const page = await openLive('/?liveness=stale');
    fleet.change(simulatedId(4), { liveness: 'online' });
    const announced = page.getByRole('button', { name: '1 left the filter', exact: true });
    await announced.waitFor();
    expect(await rowOf(page, simulatedId(4)).count()).toBe(1);
    await announced.click();
    await rowOf(page, simulatedId(4)).waitFor({ state: 'detached' });
    expect(await rowOf(page, simulatedId(5)).count()).toBe(1);
  });

  test('filters live in the address: it can be shared, and the back button leads out', async () => {
    const page = await openLive();
    await page.getByLabel('Site').selectOption('cedar-park');
    await page.getByText('20 devices').waitFor();
    expect(new URL(page.url()).searchParams.get('site')).toBe('cedar-park');
    await page.getByRole('searchbox').fill('0001');
    await page.getByText('3 devices').waitFor();
    const shared = await browser.open(page.url());
    await shared.page.getByText('3 devices').waitFor();
    expect(await shared.page.getByRole('searchbox').inputValue()).toBe('0001');
    await shared.close();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByText('60 devices').waitFor();
    await page.goBack();
    await page.getByText('3 devices').waitFor();
  });

  test('a tile filters by what it counts, and gives the fleet back when it is pressed again', async () => {
    fleet.change(simulatedId(9), { counts: { events: 20, duplicates: 0, late: 0, gaps: 2 } });
    const page = await openLive();
    const tile = page.getByRole('button', { name: /Needs attention/ });
    expect(await tile.textContent()).toContain('1');
    await tile.click();
    await page.getByText('1 device', { exact: true }).waitFor();
    expect(await tile.getAttribute('aria-pressed')).toBe('true');
    expect(new URL(page.url()).searchParams.get('trouble')).toBe('any');
    await tile.click();
    await page.getByText('60 devices').waitFor();
  });

  test('devices in trouble are named above the list, and lead to their page', async () => {
    fleet.change(simulatedId(9), { counts: { events: 20, duplicates: 0, late: 0, gaps: 2 } });
    fleet.change(simulatedId(12), { liveness: 'offline' });
    const page = await openLive();
    const named = page.getByRole('region', { name: 'Devices in trouble' }).getByRole('link');
    await named.first().waitFor();
    expect(await named.allTextContents()).toEqual([
      expect.stringMatching(new RegExp(`^${simulatedId(12)}silent`)),
      expect.stringMatching(new RegExp(`^${simulatedId(9)}2 missing`)),
    ]);
    await named.first().click();
    await page.getByRole('heading', { level: 1, name: simulatedId(12) }).waitFor();
  });

  test('a list that is true but old says how old it is, whatever else the API answers', async () => {
    const page = await openPage('/', { asOf: new Date(Date.now() - 90_000).toISOString() });
    await page.getByText(/as of .*, 1 m 3\d s ago/).waitFor();
  });

  test('rows that can no longer be read stay, with a note that says so', async () => {
    const page = await openLive();
    const port = api?.port ?? 0;
    await api?.close();
    const failure = { code: 'UNAVAILABLE', detail: 'try later' } as const;
    api = await startStubApi({ fleet, pageFolder: browser.pageFolder, port, failure, isFull: true });
    await page
      .getByText(
        'What you see is out of date and could not be read again. A store of this API is unavailable:',
      )
      .waitFor();
    expect(await rowOf(page, simulatedId(0)).count()).toBe(1);
  });

  test('the time zone lives in the address, and times follow it', async () => {
    const page = await openLive('/?tz=Asia/Kolkata');
    const asOf = await page.locator('.as-of').textContent();
    await page.getByLabel('Time zone').selectOption('UTC');
    expect(new URL(page.url()).searchParams.get('tz')).toBe('UTC');
    const inUtc = await page.locator('.as-of').textContent();
    const minutes = (text: string | null): number => Number(/:(\d\d):/.exec(text ?? '')?.[1]);
    // Kolkata lies five hours and a half ahead.
    expect(Math.abs(minutes(asOf) - minutes(inUtc))).toBeGreaterThanOrEqual(29);
  });

  test('columns sort at the server, and say so to a screen reader', async () => {
    fleet.change(simulatedId(33), { counts: { events: 20, duplicates: 0, late: 0, gaps: 9 } });
    const page = await openLive();
    await page.getByRole('button', { name: 'Missing events' }).click();
    await page.waitForFunction(
      ([deviceId]) => document.querySelector('#fleet-grid-row-0')?.textContent?.includes(deviceId ?? ''),
      [simulatedId(33)],
    );
    expect(await page.locator('[aria-sort]').textContent()).toContain('Missing events');
    expect(new URL(page.url()).searchParams.get('order')).toBe('desc');
  });

  test('the keyboard alone leads from the search to a device and back', async () => {
    const page = await openLive();
    await page.keyboard.press('/');
    await page.keyboard.type('tram');
    await page.getByText('20 devices').waitFor();
    await page.locator('.fleet-grid').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const selected = page.locator('.grid-row[aria-selected="true"]');
    expect(await selected.getAttribute('aria-rowindex')).toBe('4');
    expect(await page.locator('.fleet-grid').getAttribute('aria-activedescendant')).toBe(
      await selected.getAttribute('id'),
    );
    await page.keyboard.press('End');
    expect(await selected.getAttribute('aria-rowindex')).toBe('21');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /tram-/ }).waitFor();
    await page.keyboard.press('f');
    await page.locator('.fleet-grid').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('tram');
  });

  test('a chosen theme is there again after a reload, before anything is drawn', async () => {
    const page = await openLive();
    const theme = page.getByRole('button', { name: /^Theme/ });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await theme.click();
    const light = await ground();
    await theme.click();
    expect(await theme.getAttribute('aria-label')).toBe('Theme: dark');
    expect(await ground()).not.toBe(light);
    await page.addInitScript(() => {
      document.addEventListener('DOMContentLoaded', () => {
        Reflect.set(window, 'themeAtStart', document.documentElement.dataset.theme);
      });
    });
    await page.reload();
    expect(await page.evaluate(() => Reflect.get(window, 'themeAtStart'))).toBe('dark');
  });

  test('shortcuts of a single key can be turned off', async () => {
    const page = await openLive();
    await page.keyboard.press('?');
    await page.getByRole('checkbox', { name: 'Shortcuts of a single key' }).uncheck();
    await page.keyboard.press('Escape');
    await page.locator('.fleet-grid').focus();
    await page.keyboard.press('p');
    expect(new URL(page.url()).searchParams.get('view')).toBeNull();
    await page.getByRole('button', { name: 'Keyboard' }).click();
    await page.getByRole('checkbox', { name: 'Shortcuts of a single key' }).check();
    await page.keyboard.press('Escape');
    await page.locator('.fleet-grid').focus();
    await page.keyboard.press('p');
    await page.getByRole('heading', { name: /Pipeline/ }).waitFor();
  });

  test('while paused nothing moves, and afterwards nothing is missing', async () => {
    const page = await openLive();
    await page.getByRole('button', { name: 'Pause' }).click();
    const row = rowOf(page, simulatedId(2));
    fleet.change(simulatedId(2), { attributes: { speedMph: 99.5 } });
    fleet.change(simulatedId(3), { attributes: { speedMph: 98.5 } });
    await page.getByText('2 changes wait').waitFor();
    expect(await row.textContent()).not.toContain('99.5');
    await page.getByRole('button', { name: 'Resume' }).click();
    await row.getByText('99.5').waitFor();
    await rowOf(page, simulatedId(3)).getByText('98.5').waitFor();
  });

  test('when the API restarts, the page says so, comes back by itself, and has missed nothing', async () => {
    const page = await openLive();
    const port = api?.port;
    await api?.close();
    await page.getByText('The API does not answer.').waitFor();
    expect(await page.getByText(/as of .* and may have changed/).isVisible()).toBe(true);
    fleet.change(simulatedId(11), { attributes: { speedMph: 77.7 } });
    fleet.change('zzz-new');
    api = await startStubApi({ fleet, pageFolder: browser.pageFolder, port: port ?? 0 });
    await page.getByText('Live', { exact: true }).waitFor();
    await rowOf(page, simulatedId(11)).getByText('77.7').waitFor();
    await page.getByRole('button', { name: '+1 new', exact: true }).waitFor();
    expect(await page.getByText('The API does not answer.').count()).toBe(0);
  });

  test('a page that is open for long gives back what it no longer shows', async () => {
    const page = await openLive();
    const CHANGES = 60;
    // One row changes while the others stay: what a kept row held on to would pile up.
    const changeOften = async (first: number): Promise<void> => {
      for (let turn = first; turn < first + CHANGES; turn += 1) {
        const deviceId = simulatedId(3 * (turn % 8));
        fleet.change(deviceId, { attributes: { speedMph: 1_000 + turn } });
        await rowOf(page, deviceId)
          .getByText(String(1_000 + turn))
          .waitFor();
      }
    };
    await changeOften(0);
    const before = await countNodes(page);
    await changeOften(CHANGES);
    // Each change that is drawn replaces three nodes.
    expect((await countNodes(page)) - before).toBeLessThan(CHANGES);
  });

  test('an API that has no place for an update stream is asked repeatedly', async () => {
    const page = await openPage('/', { isFull: true });
    await page.getByText('Polling', { exact: true }).waitFor();
    fleet.change(simulatedId(3), { attributes: { speedMph: 66.6 } });
    await rowOf(page, simulatedId(3)).getByText('66.6').waitFor();
  });

  test('a slow first answer, an empty fleet, a filter without result and a refusal differ', async () => {
    const texts = new Set<string>();
    const show = async (path: string, options: Partial<StubOptions>, text: string): Promise<void> => {
      const page = await openPage(path, options);
      await page.getByText(text).waitFor();
      texts.add((await page.locator('.notice').textContent()) ?? '');
      await open?.close();
      await api?.close();
    };
    await show('/', { delayMs: 2_000 }, 'Reading the fleet');
    await show('/?q=nothing-like-it', {}, 'No device meets these filters');
    await show('/', { failure: { code: 'INTERNAL', detail: 'see the log' } }, 'Internal error');
    fleet = simulatedFleet(0);
    await show('/', {}, 'No device has been heard yet');
    expect(texts.size).toBe(4);
  });

  test('an API that wants a token is given one, kept for this tab alone', async () => {
    const page = await openPage('/', { token: 'secret-of-the-test' });
    await page.getByLabel(/access token/).fill('secret-of-the-test');
    await page.getByRole('button', { name: 'Use it in this tab' }).click();
    await page.getByText('60 devices').waitFor();
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('secret');
    expect(page.url()).not.toContain('secret');
  });
});
