import type { PipelineStatus } from '@twinstream/api-contract';
import { describe, expect, test } from 'vitest';
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
});
