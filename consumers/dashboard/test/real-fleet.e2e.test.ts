import type { PipelineStatus, WholeDeviceList } from '@twinstream/api-contract';
import { describe, expect, test } from 'vitest';
import { violationsOf } from './axe.ts';
import { isSkipped, serveFleet, skipNote } from './browser.ts';

describe.skipIf(isSkipped)(`the fleet of the query API in a browser${skipNote}`, () => {
  const fleet = serveFleet(200);

  test('the page is live, and each tile leads to as many devices as it counts', async () => {
    const page = await fleet.open(`/?tz=UTC`);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText('200 devices').waitFor();
    for (const name of [/^Stale/, /^Offline/, /^Needs attention/, /^Online/]) {
      const tile = page.getByRole('button', { name });
      await tile.click();
      await page.waitForFunction(
        ([shown, counted]) => {
          const listed = Number.parseInt(shown?.textContent ?? '', 10);
          return listed > 0 && listed < 200 && listed === Number(counted?.textContent);
        },
        [
          await page.locator('.list-count').elementHandle(),
          await tile.locator('.tile-count').elementHandle(),
        ] as const,
      );
    }
  });

  test('rows move with the fleet', async () => {
    const page = await fleet.open(`/?liveness=online`);
    const heard = page.locator('.fleet-grid .heard').first();
    await heard.waitFor();
    expect(await heard.textContent()).toMatch(/^\d+ s$/);
  });

  test('a running replay is seen with its target, its step and how far it has come', async () => {
    const page = await fleet.open(`/?view=pipeline&tz=UTC`);
    const { replays = [] } = await fleet.get<PipelineStatus>('/v1/pipeline');
    expect(replays).toHaveLength(1);
    for (const { id, step, reason, entries } of replays) {
      const row = page.locator('.replays tbody tr', { hasText: id });
      await row.waitFor();
      const text = await row.innerText();
      expect(text).toContain('repair in place');
      expect(text).toContain(step);
      expect(text).toContain(reason);
      expect(text).toContain(entries.read.toLocaleString('en'));
      expect(text).toContain(entries.applied.toLocaleString('en'));
      expect(text).toMatch(/\d+ s/);
    }
  });

  test('the pipeline is read shard by shard, and drawn', async () => {
    const page = await fleet.open(`/?view=pipeline`);
    const { shards } = await fleet.get<PipelineStatus>('/v1/pipeline');
    await page.locator('.shards tbody tr').first().waitFor();
    expect(await page.locator('.shards tbody tr').count()).toBe(shards.length);
    expect(await page.locator('.plot canvas').count()).toBe(2);
  });

  test('the fleet at a past moment is read a step at a time, says what that took, and leads to its devices then', async () => {
    const page = await fleet.open('/?tz=UTC', { viewport: { width: 390, height: 844 } });
    await page.getByRole('link', { name: 'Past' }).click();
    await page.getByText(/100 of 100 devices, whose histories took [\d,]+ reads/).waitFor();
    await page.getByText('200 are known now').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Read the next 100' }).click();
    await page.getByText('These are all that are known now.').waitFor();
    expect(await page.locator('.fleet-grid').getAttribute('aria-rowcount')).toBe('201');

    await page.setViewportSize({ width: 1_440, height: 900 });
    await page.getByLabel('Moment').selectOption('6 hours ago');
    await page.getByText('None of the devices read so far').waitFor();
    expect(new URL(page.url()).searchParams.get('at')).toBe('now-6h');
    const at = new Date(Date.now() - 30 * 60_000).toISOString();
    await page.getByText('Time', { exact: true }).click();
    await page.getByLabel('Time with its offset').fill(at);
    await page.getByRole('button', { name: 'Show it' }).click();
    await page.getByLabel('Time axis').selectOption('device clock');
    await page.getByLabel('Site').selectOption('austin-north');
    await page.getByText(/As of the device clock at/).waitFor();
    const path = `/v1/devices?at=${at}&basis=event-time&site=austin-north&limit=100`;
    const { devices } = await fleet.get<WholeDeviceList>(path);
    await page.getByText(`${devices.length} of 100 devices`).waitFor();
    const [first] = devices;
    const row = page.locator('.fleet-grid .grid-body .grid-row').first();
    expect(await row.innerText()).toContain(first?.deviceId);
    expect(await row.locator('.cell-reads').innerText()).toContain(`speedMph ${first?.attributes.speedMph}`);
    await row.getByRole('link').click();
    await page.getByText(/changed since/).waitFor();
    const { searchParams } = new URL(page.url());
    expect([searchParams.get('device'), searchParams.get('at'), searchParams.get('basis')]).toEqual([
      first?.deviceId,
      at,
      'event-time',
    ]);
  });
});
