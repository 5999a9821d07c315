import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSkipped, type OpenPage, skipNote, startBrowser, type TestBrowser } from './browser.ts';
import { type MainThreadReport, traceMainThread } from './main-thread.ts';
import { type SimulatedFleet, simulatedFleet, simulatedId } from './simulated-fleet.ts';
import { type StubApi, startStubApi } from './stub-api.ts';

const FLEET_SIZE = 50_000;
const UPDATES_PER_SECOND = 200;
const BURST_MS = 50;
const SCROLL_FRAMES = 120;
const FRAME_MS_MAX = 50;
/** What takes long in every run takes long by itself. */
const RUNS_MAX = 3;

/** Scrolls from one end of the list to the other, a step a frame. */
function scrollThrough(page: Page): Promise<void> {
  return page.evaluate(async (frames) => {
    const scroller = document.querySelector('.fleet-grid');
    if (scroller === null) throw new Error('there is no list');
    const height = scroller.scrollHeight - scroller.clientHeight;
    for (let frame = 0; frame < frames; frame += 1) {
      scroller.scrollTop = (frame / frames) * height;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }, SCROLL_FRAMES);
}

describe.skipIf(isSkipped)(`50,000 devices in a browser${skipNote}`, () => {
  let browser: TestBrowser;
  let fleet: SimulatedFleet;
  let api: StubApi;
  let open: OpenPage;
  let moving: ReturnType<typeof setInterval>;
  let changed = 0;

  beforeAll(async () => {
    browser = await startBrowser();
    fleet = simulatedFleet(FLEET_SIZE);
    api = await startStubApi({ fleet, pageFolder: browser.pageFolder });
    open = await browser.open(api.url);
    moving = setInterval(() => {
      for (let update = 0; update < (UPDATES_PER_SECOND * BURST_MS) / 1_000; update += 1) {
        fleet.change(simulatedId((changed * 7) % FLEET_SIZE), { attributes: { speedMph: changed % 90 } });
        changed += 1;
      }
    }, BURST_MS);
  });
  afterAll(async () => {
    clearInterval(moving);
    await open?.close();
    await api?.close();
  });

  test('all of them can be reached, and only those on the screen are drawn', async () => {
    const { page } = open;
    await page.getByText('50,000 devices').waitFor();
    await page.locator('.fleet-grid').focus();
    await page.keyboard.press('End');
    const last = [...fleet.devices.keys()].sort().at(-1);
    await page.locator('.grid-row', { hasText: last ?? '' }).waitFor();
    expect(await page.locator('.fleet-grid .grid-body .grid-row').count()).toBeLessThan(100);
    expect(await page.locator('.fleet-grid').getAttribute('aria-rowcount')).toBe(String(FLEET_SIZE + 1));
  });

  test('no frame is slow while the list is scrolled and 200 devices change a second', async () => {
    const { page } = open;
    await page.getByText('Live', { exact: true }).waitFor();
    const reports: MainThreadReport[] = [];
    do {
      reports.push(await traceMainThread(page, () => scrollThrough(page)));
    } while (reports.length < RUNS_MAX && (reports.at(-1)?.longestMs[0] ?? 0) >= FRAME_MS_MAX);
    const last = reports.at(-1);
    expect(last?.tasks).toBeGreaterThan(SCROLL_FRAMES);
    expect(last?.longestMs[0], JSON.stringify(reports)).toBeLessThan(FRAME_MS_MAX);
    process.stdout.write(`main thread: ${JSON.stringify(last)}\n`);
    expect(open.faults).toEqual([]);
  });
});
