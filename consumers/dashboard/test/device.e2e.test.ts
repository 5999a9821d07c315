import type { DeviceJson, EventJson, EventList, WholeDeviceList } from '@twinstream/api-contract';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { differenceOf } from '../src/model/state-difference.ts';
import { violationsOf } from './axe.ts';
import { isSkipped, serveFleet, skipNote } from './browser.ts';

const MOST_LATE = { sort: 'late', order: 'desc' };
const MOST_EVENTS = { sort: 'events', order: 'desc' };
/** Their gaps are not closed while one looks. */
const SILENT_WITH_GAPS = { trouble: 'gaps', sort: 'lastArrivalTime' };

const fleet = serveFleet(120);

async function openDevice(deviceId: string, parameters: Record<string, string> = {}): Promise<Page> {
  const page = await fleet.open(`/?${new URLSearchParams({ device: deviceId, ...parameters })}`);
  await page.locator('.attributes').waitFor();
  return page;
}

/** A device that no longer speaks, so that its history does not change. */
async function silentDevice(): Promise<DeviceJson> {
  const { devices } = await fleet.get<WholeDeviceList>(
    '/v1/devices?liveness=offline&sort=events&order=desc&limit=1',
  );
  const [device] = devices;
  if (device === undefined) throw new Error('no device is silent');
  return device;
}

async function eventsOf(deviceId: string): Promise<EventJson[]> {
  const { events } = await fleet.get<EventList>(`/v1/devices/${deviceId}/events?limit=1000`);
  return events;
}

/** When its events arrived, each moment once, rising. */
function momentsOf(events: readonly EventJson[]): string[] {
  return [...new Set(events.map(({ arrivalTime }) => arrivalTime))].sort();
}

/** Goes down the history until something is drawn that is looked for. */
async function findInHistory(page: Page, selector: string): Promise<string> {
  const wanted = page.locator('.history-grid').locator(selector).first();
  await page.locator('.history-grid .grid-body .grid-row').first().waitFor();
  await page.locator('.history-grid').focus();
  const rowCount = Number(await page.locator('.history-grid').getAttribute('aria-rowcount'));
  for (let row = 0; row < rowCount && (await wanted.count()) === 0; row += 5) {
    await page.keyboard.press('PageDown');
  }
  return (await wanted.textContent()) ?? '';
}

/** The first device of a list of which the history holds what is asked for. */
async function deviceWith(
  query: Record<string, string>,
  holds: (event: EventJson) => boolean,
): Promise<string> {
  const { devices } = await fleet.get<WholeDeviceList>(`/v1/devices?${new URLSearchParams(query)}`);
  for (const { deviceId } of devices) if ((await eventsOf(deviceId)).some(holds)) return deviceId;
  throw new Error('no device has such a history');
}

describe.skipIf(isSkipped)(`a device in a browser${skipNote}`, () => {
  test('the page at a past moment shows the state that the API gives for it, and what changed since', async () => {
    const { deviceId, attributes: present } = await silentDevice();
    const events = await eventsOf(deviceId);
    for (const at of [
      events[2]?.arrivalTime ?? '',
      events[Math.floor(events.length / 2)]?.arrivalTime ?? '',
    ]) {
      const past = await fleet.get<DeviceJson>(`/v1/devices/${deviceId}?${new URLSearchParams({ at })}`);
      const page = await openDevice(deviceId, { at });
      const changes = differenceOf(past.attributes, present);
      const changed = changes.filter(({ change }) => change !== 'same');
      await page.getByText(`${changed.length} of ${changes.length} attributes`).waitFor();
      const rows = page.locator('.attributes tbody tr');
      expect(await rows.count()).toBe(changes.length);
      for (const name of ['speedMph', 'batteryPercent']) {
        const cells = await rows.filter({ hasText: name }).locator('td').allTextContents();
        expect(cells[0]).toBe(String(past.attributes[name]));
      }
    }
  });

  test('the slider goes from event to event by the keyboard, and to any moment in between', async () => {
    const { deviceId } = await silentDevice();
    const moments = momentsOf(await eventsOf(deviceId));
    const page = await openDevice(deviceId);
    const slider = page.getByRole('slider', { name: 'Moment' });
    const shownAt = () => page.evaluate(() => new URLSearchParams(location.search).get('at'));
    await page.locator('.history-grid .grid-body .grid-row').first().waitFor();
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    expect(await shownAt()).toBe(moments.at(-1));
    await page.keyboard.press('ArrowLeft');
    expect(await shownAt()).toBe(moments.at(-2));
    await page.keyboard.press('ArrowRight');
    expect(await shownAt()).toBe(moments.at(-1));
    await page.keyboard.press('Home');
    expect(await shownAt()).toBe(moments[0]);
    expect(await slider.getAttribute('aria-valuetext')).toContain(moments[0]?.slice(14, 19));
    await page.keyboard.press('End');
    expect(await shownAt()).toBeNull();
    const middle = Math.floor((Date.parse(moments[0] ?? '') + Date.parse(moments.at(-1) ?? '')) / 2);
    await slider.fill(String(middle));
    expect(await shownAt()).toBe(new Date(middle).toISOString());
    await page.getByText(/changed since/).waitFor();
  });

  test('both meanings of a past state can be had', async () => {
    const deviceId = await deviceWith(MOST_LATE, ({ late }) => late === true);
    const late = (await eventsOf(deviceId)).find((event) => event.late);
    const at = new Date(Date.parse(late?.arrivalTime ?? '') - 1).toISOString();
    const page = await openDevice(deviceId, { at });
    await page.getByRole('combobox', { name: /^Time axis/ }).selectOption('event-time');
    const basis = await page.evaluate(() => new URLSearchParams(location.search).get('basis'));
    expect(basis).toBe('event-time');
    const known = await fleet.get<DeviceJson>(
      `/v1/devices/${deviceId}?${new URLSearchParams({ at, basis: 'event-time' })}`,
    );
    const speed = page.locator('.attributes tbody tr', { hasText: 'speedMph' }).locator('td').first();
    await page.waitForFunction(([shown, wanted]) => shown?.textContent === wanted, [
      await speed.elementHandle(),
      String(known.attributes.speedMph),
    ] as const);
  });

  test('late events, missing ones and corrections are marked as such', async () => {
    const late = await openDevice(await deviceWith(MOST_LATE, (event) => event.late === true));
    expect(await findInHistory(late, '.mark.is-late')).toBe('late');
    const gap = await openDevice(await deviceWith(SILENT_WITH_GAPS, () => true));
    expect(await findInHistory(gap, '.mark.is-gap')).toMatch(/^\d+ missing before/);
    const corrected = await openDevice(await deviceWith(MOST_EVENTS, ({ reason }) => reason !== undefined));
    expect(await findInHistory(corrected, '.cell-marks .mark.is-correction:has-text("by ")')).toBe(
      'by maintenance: the wheel sensor was replaced',
    );
  });

  test('an event opens as JSON, and leads to the state then', async () => {
    const { deviceId } = await silentDevice();
    const events = await eventsOf(deviceId);
    const page = await openDevice(deviceId);
    await page.locator('.history-grid .grid-body .grid-row').first().waitFor();
    await page.locator('.history-grid').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const json = await page.getByLabel('Event as JSON').textContent();
    expect(JSON.parse(json ?? '')).toEqual(events.at(-2));
    await page.getByRole('button', { name: 'Show the state then' }).click();
    expect(new URL(page.url()).searchParams.get('at')).toBe(events.at(-2)?.arrivalTime);
  });

  test('the whole state is there as JSON, with the versions of its attributes', async () => {
    const { deviceId, attributes } = await silentDevice();
    const page = await openDevice(deviceId);
    await page.getByText('State as JSON').click();
    const shown = JSON.parse((await page.getByLabel('State as JSON').textContent()) ?? '') as DeviceJson;
    expect(shown.attributes).toEqual(attributes);
    expect(Object.keys(shown)).toContain('attributeVersions');
    const versions = await page.locator('.attributes td.version').allTextContents();
    expect(versions.every((text) => /^\d+\.\d+/.test(text))).toBe(true);
  });

  test('numeric attributes are drawn over time, and say what they show', async () => {
    const { deviceId } = await silentDevice();
    const page = await openDevice(deviceId);
    const plot = page.getByRole('img', { name: /^batteryPercent: last [\d.]+, between/ });
    await plot.locator('canvas').waitFor();
    const inked = await plot.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return pixels.some((value) => value !== 0);
    });
    expect(inked).toBe(true);
  });

  test('a correction moves the line of a plot at the time of what it corrects', async () => {
    const { deviceId } = await silentDevice();
    const events = await eventsOf(deviceId);
    const corrected = events.find(
      ({ data = {}, counter }) => counter !== undefined && 'temperatureC' in data,
    );
    if (corrected === undefined) throw new Error('no event has a temperature');
    const page = await openDevice(deviceId);
    await page.getByRole('img', { name: /^temperatureC: last/ }).waitFor();
    const answer = await fetch(`${fleet.url}/v1/devices/${deviceId}/corrections`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        data: { temperatureC: 99.5 },
        reason: 'a test',
        actor: 'ann',
        corrects: { session: corrected.session, counter: corrected.counter },
      }),
    });
    expect(answer.status).toBe(202);
    await page.reload();
    await page.getByRole('img', { name: /^temperatureC: last [\d.]+, between [\d.]+ and 99\.5$/ }).waitFor();
  });

  test('a drag over a plot shows that window, and the whole comes back', async () => {
    const { deviceId } = await silentDevice();
    const page = await openDevice(deviceId);
    const plot = page.getByRole('img', { name: /^batteryPercent: last/ });
    await plot.locator('canvas').waitFor();
    const box = await plot.locator('.u-over').boundingBox();
    if (box === null) throw new Error('the plot has no size');
    await plot.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await plot.locator('.u-over').boundingBox()) ?? box;
    await page.mouse.move(x + width * 0.2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.6, y + height / 2, { steps: 5 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Whole window' }).waitFor();
    const { searchParams } = new URL(page.url());
    const [from, to] = ['from', 'to'].map((name) => Date.parse(searchParams.get(name) ?? ''));
    expect((to ?? 0) - (from ?? 0)).toBeGreaterThan(60_000);
    expect(searchParams.has('at')).toBe(false);
    await page.getByText(/^\d+ events?/).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Whole window' }).click();
    expect(new URL(page.url()).searchParams.has('from')).toBe(false);
  });

  test('attributes share a plot, status is a timeline with its silence, and time may be that of the device', async () => {
    const { deviceId } = await silentDevice();
    const page = await openDevice(deviceId);
    await page.getByRole('img', { name: /^Status over time: .*silent/ }).waitFor();
    await page.getByText('In one plot', { exact: true }).click();
    await page.getByRole('checkbox', { name: 'speedMph' }).check();
    await page.getByRole('checkbox', { name: 'batteryPercent' }).check();
    await page.getByRole('img', { name: 'speedMph, batteryPercent in one plot' }).locator('canvas').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('combobox', { name: /^Time axis/ }).selectOption('event-time');
    expect(new URL(page.url()).searchParams.get('basis')).toBe('event-time');
    await page
      .getByRole('img', { name: /^batteryPercent: last/ })
      .locator('canvas')
      .waitFor();
  });

  test('a device that speaks is followed without a reload', async () => {
    const { devices } = await fleet.get<WholeDeviceList>('/v1/devices?liveness=online&limit=1000');
    const page = await openDevice(devices[0]?.deviceId ?? '');
    const events = page.locator('.fact', { has: page.getByText('Events', { exact: true }) }).locator('dd');
    const before = await events.textContent();
    await page.waitForFunction(([fact, text]) => fact?.textContent !== text, [
      await events.elementHandle(),
      before,
    ] as const);
    // The history keeps up with the count, however many have come meanwhile.
    await page.waitForFunction(
      ([fact, line]) => line?.textContent?.startsWith(`${fact?.textContent} events`) === true,
      [await events.elementHandle(), await page.locator('#history-title + p').elementHandle()] as const,
    );
  });

  test('a device of which nothing is stored is told apart from an API that fails', async () => {
    const page = await fleet.open(`/?device=no-such-device`);
    await page.getByText('Unknown device').waitFor();
  });
});
