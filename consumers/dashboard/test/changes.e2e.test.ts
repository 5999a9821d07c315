import type { DeviceJson, EventList, QuarantineList, WholeDeviceList } from '@twinstream/api-contract';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { violationsOf } from './axe.ts';
import { isSkipped, serveFleet, skipNote } from './browser.ts';

const fleet = serveFleet(60);

async function openPage(search: Record<string, string>, width = 1_440): Promise<Page> {
  return fleet.open(`/?${new URLSearchParams({ tz: 'UTC', ...search })}`, {
    viewport: { width, height: 900 },
  });
}

async function quarantined(search = ''): Promise<QuarantineList['records']> {
  return (await fleet.get<QuarantineList>(`/v1/quarantine${search}`)).records;
}

async function openRecord(reason: string, width?: number): Promise<Page> {
  const page = await openPage({ view: 'quarantine' }, width);
  await page.locator('.dead-letters tbody tr', { hasText: reason }).getByRole('link').click();
  await page.getByRole('heading', { name: 'Record', exact: true }).waitFor();
  return page;
}

async function sign(page: Page): Promise<void> {
  await page.getByLabel('Reason', { exact: true }).last().fill('old firmware');
  await page.getByLabel('Your name').fill('ann');
}

async function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** A device that no longer speaks, so that nobody but the test changes it. */
async function silentDevice(): Promise<DeviceJson> {
  const path = '/v1/devices?liveness=offline&sort=events&order=desc&limit=1';
  const { devices } = await fleet.get<WholeDeviceList>(path);
  if (devices[0] === undefined) throw new Error('no device is silent');
  return devices[0];
}

/** A device that is silent without having said that it leaves: nobody but the test changes it, and nobody has acknowledged it. */
async function deviceInTrouble(): Promise<DeviceJson> {
  const path = '/v1/devices?trouble=silent&acknowledged=false&sort=events&order=desc&limit=1';
  const { devices } = await fleet.get<WholeDeviceList>(path);
  if (devices[0] === undefined) throw new Error('no device is in trouble by silence');
  return devices[0];
}

/** Devices in the list of the API. */
async function total(): Promise<number> {
  return (await fleet.get<WholeDeviceList>('/v1/devices?limit=1')).total;
}

const WAIT = { timeout: 15_000, interval: 100 };

/** Takes back what the test does to a device, however it ends: another try must find the fleet as this one did. */
function takeBackAfterwards(path: string, body: Record<string, unknown>): void {
  onTestFinished(async () => {
    const response = await fetch(fleet.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ actor: 'ann', withdraw: true, ...body }),
    });
    expect(response.status).toBe(200);
  });
}

/** The same page at another address, as from a link. */
async function goTo(page: Page, search: Record<string, string>): Promise<void> {
  await page.goto(new URL(`/?${new URLSearchParams({ tz: 'UTC', ...search })}`, fleet.url).href);
}

describe.skipIf(isSkipped)(`changes made in a browser${skipNote}`, () => {
  test('lists what is in quarantine, with reason, key and fault, and filters by reason', async () => {
    const records = await quarantined();
    const page = await openPage({ view: 'quarantine' });
    await page.locator('.dead-letters tbody tr').first().waitFor();
    expect(await page.locator('.dead-letters tbody tr').count()).toBe(records.length);
    const entry = records[0]?.entries[0];
    const row = page.locator('.dead-letters tbody tr').first();
    expect(await row.innerText()).toContain(entry?.reason);
    expect(await row.innerText()).toContain(entry?.partitionKey);
    expect(await row.innerText()).toContain(entry?.detail);
    await page.getByLabel('Reason').selectOption('invalid-time');
    await page.waitForFunction(() => document.querySelectorAll('.dead-letters tbody tr').length === 1);
    expect(await violationsOf(page)).toEqual([]);
  });

  test('a record is repaired, previewed and redriven, and its device has the event', async () => {
    const page = await openRecord('unsupported-version');
    await sign(page);
    const redrive = page.getByRole('button', { name: 'Redrive', exact: true });
    await page.getByRole('button', { name: 'Preview a redrive' }).click();
    await page.getByText('is still invalid (unsupported-version: v must be 1)').waitFor();
    expect(await redrive.isDisabled()).toBe(true);
    const text = page.getByRole('textbox', { name: 'Event' });
    await text.fill((await text.inputValue()).replace('"v":9', '"v":1'));
    await page.getByRole('button', { name: 'Preview a redrive' }).click();
    await page.getByText('bus-0000: would be stored').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await redrive.click();
    await page.getByText('Redriven: it has left quarantine.').waitFor();
    expect(await quarantined('?rejection=unsupported-version')).toEqual([]);
    const { events } = await fleet.get<EventList>('/v1/devices/bus-0000/events?order=desc&limit=100');
    expect(events.filter(({ repaired }) => repaired)).toHaveLength(1);
  });

  test('bytes that are not text are shown in hexadecimal, and a discard is asked for twice', async () => {
    const page = await openRecord('invalid-utf8', 390);
    expect(await page.getByLabel('Bytes of entry 0').innerText()).toContain('00 ff f3 0a 22 c8 01');
    await sign(page);
    await page.getByRole('button', { name: 'Discard…' }).click();
    expect(await quarantined('?rejection=invalid-utf8')).toHaveLength(1);
    expect(await overflowOf(page)).toBe(0);
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Discard it for good' }).click();
    await page.getByText('Discarded: it has left quarantine').waitFor();
    expect(await quarantined('?rejection=invalid-utf8')).toEqual([]);
  });

  test('says so where the rights do not include it, and offers it no more', async () => {
    const page = await openRecord('not-json');
    await sign(page);
    // As an HTTP API of API Gateway answers for a token without the scope.
    await page.route('**/discard', (route) =>
      route.fulfill({ status: 403, contentType: 'application/json', body: '{"message":"Forbidden"}' }),
    );
    await page.getByRole('button', { name: 'Discard…' }).click();
    await page.getByRole('button', { name: 'Discard it for good' }).click();
    await page.getByText('Your rights do not include this').waitFor();
    expect(await page.getByRole('button', { name: 'Discard it for good' }).isDisabled()).toBe(true);
    expect(await quarantined('?rejection=not-json')).toHaveLength(1);
  });

  test('a correction shows what it changes, is taken, and is told to be stored', async () => {
    const { deviceId, attributes } = await silentDevice();
    const page = await openPage({ device: deviceId }, 390);
    await page.getByText('Correct attributes').click();
    await page.getByLabel('Attribute', { exact: true }).fill('speedMph');
    await page.getByRole('textbox', { name: 'Value' }).fill('17.25');
    await sign(page);
    const cells = page.getByRole('table', { name: 'What the correction changes' }).locator('tbody td');
    expect((await cells.allTextContents()).slice(0, 2)).toEqual([String(attributes.speedMph), '17.25']);
    await page.getByLabel('Corrected event').fill('99.1');
    await page.getByRole('button', { name: `Correct ${deviceId}` }).click();
    const field = page.locator('.field', { hasText: 'Corrected event' });
    await field.getByRole('alert').filter({ hasText: 'has not reached' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect(await overflowOf(page)).toBe(0);
    await page.getByLabel('Corrected event').fill('');
    await page.getByRole('button', { name: `Correct ${deviceId}` }).click();
    await page.getByText('The correction is stored.').waitFor();
    expect((await fleet.get<DeviceJson>(`/v1/devices/${deviceId}`)).attributes.speedMph).toBe(17.25);
  });

  test('a number that a double would round is refused, beside its field', async () => {
    const { deviceId } = await silentDevice();
    const page = await openPage({ device: deviceId });
    await page.getByText('Correct attributes').click();
    await page.getByLabel('Attribute', { exact: true }).fill('odometer');
    await page.getByRole('textbox', { name: 'Value' }).fill('12345678901234567891');
    await sign(page);
    await page.getByRole('button', { name: `Correct ${deviceId}` }).click();
    await page.getByText('12345678901234567891 would be rounded').waitFor();
  });

  test('two devices are compared, and two moments of one', async () => {
    const { deviceId, attributes } = await silentDevice();
    const { devices } = await fleet.get<WholeDeviceList>('/v1/devices?liveness=offline&limit=3');
    const other = devices.find((device) => device.deviceId !== deviceId);
    if (other === undefined) throw new Error('only one device is silent');
    const page = await openPage({ device: deviceId });
    await page.getByLabel('Compare with device').fill(other.deviceId);
    await page.keyboard.press('Enter');
    await page.getByText(`different from ${other.deviceId}`).waitFor();
    const battery = page.locator('.attributes tbody tr', { hasText: 'batteryPercent' }).locator('td');
    expect((await battery.allTextContents())[0]).toBe(String(attributes.batteryPercent));
    expect((await battery.allTextContents())[1]).toContain(String(other.attributes.batteryPercent));
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Stop comparing' }).click();

    const { events } = await fleet.get<EventList>(`/v1/devices/${deviceId}/events?limit=1000`);
    const [first = '', second = ''] = [events[3]?.arrivalTime, events[20]?.arrivalTime];
    const moments = await openPage({ device: deviceId, at: first });
    await moments.getByRole('button', { name: 'Keep to compare' }).click();
    await moments.getByRole('slider', { name: 'Moment' }).fill(String(Date.parse(second)));
    const past = (at: string) =>
      fleet.get<DeviceJson>(`/v1/devices/${deviceId}?at=${encodeURIComponent(at)}`);
    const [then, later] = [await past(first), await past(second)];
    await moments.waitForFunction(
      ([shown, compared]) => {
        const row = [...document.querySelectorAll('.attributes tbody tr')].find((one) =>
          one.textContent?.startsWith('batteryPercent'),
        );
        const cells = [...(row?.querySelectorAll('td') ?? [])].map(({ textContent }) => textContent);
        return cells[0] === shown && cells[1]?.startsWith(compared ?? '') === true;
      },
      [String(later.attributes.batteryPercent), String(then.attributes.batteryPercent)],
    );
  });

  test('a trouble is acknowledged on the page of its device, and leaves the line of troubles', async () => {
    const { deviceId } = await deviceInTrouble();
    takeBackAfterwards(`/v1/devices/${deviceId}/acknowledgements`, { trouble: 'silent', note: 'test' });
    const page = await openPage({ device: deviceId }, 390);
    const trouble = page.getByRole('list', { name: 'Troubles' }).locator('li', { hasText: 'silent' });
    await trouble.getByRole('button', { name: 'Acknowledge…' }).click();
    await trouble.getByLabel('Reason').fill('in the depot');
    await trouble.getByLabel('Your name').fill('ann');
    expect(await violationsOf(page)).toEqual([]);
    expect(await overflowOf(page)).toBe(0);
    await trouble.getByRole('button', { name: 'Acknowledge silent' }).click();
    await trouble.getByText('Acknowledged by ann').waitFor();
    expect(await trouble.innerText()).toContain('in the depot');

    await page.setViewportSize({ width: 1_440, height: 900 });
    await goTo(page, { trouble: 'silent' });
    const row = page.locator('.fleet-grid .grid-row', { hasText: deviceId });
    await row.getByTitle(/silent: .*, acknowledged/).waitFor();
    await page.getByLabel('Acknowledged').selectOption('no');
    await row.waitFor({ state: 'detached' });
    expect(await violationsOf(page)).toEqual([]);

    await goTo(page, { device: deviceId });
    await trouble.getByRole('button', { name: 'Withdraw…' }).click();
    await trouble.getByLabel('Reason').fill('it left the depot');
    await trouble.getByLabel('Your name').fill('ann');
    await trouble.getByRole('button', { name: 'Withdraw it' }).click();
    await trouble.getByRole('button', { name: 'Acknowledge…' }).waitFor();
  });

  test('a device is retired on its page, leaves the fleet, and is brought back', async () => {
    const { deviceId } = await silentDevice();
    takeBackAfterwards(`/v1/devices/${deviceId}/retirement`, { reason: 'test' });
    const page = await openPage({ device: deviceId });
    await page.getByText('Retire the device', { exact: true }).click();
    const form = page.getByRole('form', { name: 'Retire the device' });
    await form.getByLabel('Reason').fill('sold');
    await form.getByLabel('Your name').fill('ann');
    await form.getByRole('button', { name: `Retire ${deviceId}` }).click();
    const retired = page.getByText('It is in no list until its next event.');
    await retired.waitFor();
    expect(await violationsOf(page)).toEqual([]);

    // The list follows within a cycle of the view: a page that reads it earlier shows the device, crossed out, until it is asked again.
    await vi.waitFor(async () => expect(await total()).toBe(59), WAIT);
    await goTo(page, {});
    await page.getByText('59 devices').waitFor();
    await page.getByLabel('Retired').selectOption({ label: 'only (1)' });
    await page.getByText('1 device', { exact: true }).waitFor();
    await page.locator('.fleet-grid .grid-row', { hasText: deviceId }).getByRole('link').click();

    await retired.waitFor();
    await page.getByText('Bring the device back', { exact: true }).click();
    const back = page.getByRole('form', { name: 'Bring the device back' });
    await back.getByLabel('Reason').fill('not sold');
    await back.getByLabel('Your name').fill('ann');
    await back.getByRole('button', { name: `Bring ${deviceId} back` }).click();
    await retired.waitFor({ state: 'detached' });
    expect((await fleet.get<DeviceJson>(`/v1/devices/${deviceId}`)).retired).toBeUndefined();
  });
});
